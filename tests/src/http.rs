//! The little HTTP/1.1 that the harness speaks and understands.

use std::io::{self, BufRead, BufReader, Read, Write};

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Response {
    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Asks, and reads the whole answer.
pub(crate) fn exchange(
    stream: impl Read + Write,
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> io::Result<Response> {
    exchange_body(stream, method, host, path, headers, "")
}

/// Asks with a body, and reads the whole answer.
pub(crate) fn exchange_body(
    stream: impl Read + Write,
    method: &str,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let mut stream = BufReader::new(stream);
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str(&format!("\r\n{body}"));
    stream.get_mut().write_all(request.as_bytes())?;
    let status_line = line(&mut stream)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| invalid(format!("{status_line:?} is no status line")))?;
    let headers = read_headers(&mut stream)?;
    let body = read_body(&mut stream, &headers, BodyEnd::AtClose)?;
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// As `GET`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

/// Reads one request.
///
/// # Errors
/// When it is none, or ends early.
pub fn read_request(stream: &mut impl BufRead) -> io::Result<Request> {
    let request_line = line(stream)?;
    let mut words = request_line.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(invalid(format!("{request_line:?} is no request line")));
    };
    let headers = read_headers(stream)?;
    let body = read_body(stream, &headers, BodyEnd::AtOnce)?;
    Ok(Request {
        method,
        path,
        headers,
        body,
    })
}

/// Where a body ends that has no length.
enum BodyEnd {
    AtOnce,
    AtClose,
}

fn read_headers(stream: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| invalid(format!("{line:?} is no header")))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_body(
    stream: &mut impl BufRead,
    headers: &[(String, String)],
    end: BodyEnd,
) -> io::Result<String> {
    let mut body = Vec::new();
    if header(headers, "transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let size = line(stream)?;
            let size = u64::from_str_radix(size.trim(), 16)
                .map_err(|_| invalid(format!("{size:?} is no size of a chunk")))?;
            stream.by_ref().take(size).read_to_end(&mut body)?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = header(headers, "content-length") {
        let length = length
            .parse()
            .map_err(|_| invalid(format!("{length:?} is no length of a body")))?;
        stream.by_ref().take(length).read_to_end(&mut body)?;
        if (body.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    } else {
        match end {
            BodyEnd::AtOnce => {}
            BodyEnd::AtClose => {
                stream.read_to_end(&mut body)?;
            }
        }
    }
    String::from_utf8(body).map_err(|error| invalid(error.to_string()))
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
