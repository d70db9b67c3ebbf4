//! `bwmon import`: takes in what other programs counted in the past.

use std::{fmt::Write as _, fs::File, io::Read, path::Path, process::ExitCode};

use anstyle::Style;
use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::{
    args::{ImportArgs, Options},
    json::pretty,
    output::{Look, print},
    printable::printable,
    table::{Column, Table},
};
use crate::{
    config::{self, Config, Overrides},
    core::human,
    import::{
        Format, MAX_BYTES, Named, Parsed, Period, detect, nlbwmon, subjects::Book, usage_log,
        vnstat,
    },
    store::{self, DATABASE, History, Import, Imported, Mode, time_of},
};

const TAKEN: [Column; 6] = [
    Column::rest("SUBJECT"),
    Column::text("FROM"),
    Column::text("UNTIL"),
    Column::number("ROWS"),
    Column::number("AMOUNT"),
    Column::number("LEFT OUT"),
];

/// A line of what is printed.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    source: String,
    subject: String,
    from: Option<String>,
    until: Option<String>,
    rows: usize,
    bytes: u64,
    left_out_rows: usize,
    left_out_bytes: u64,
}

/// Takes all files in, or nothing.
///
/// # Errors
///
/// When one of them can't be read or understood, or the database can't be written.
pub fn import(options: &Options, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let config = config::load(&Overrides {
        config: options.config.clone(),
        devices: args.devices.clone(),
        state_dir: args.state_dir.clone(),
        ..Overrides::default()
    })?;
    let database = config.state_dir.join(DATABASE);
    if !database.exists() {
        anyhow::bail!(
            "there is no database {} to import into; start bwmon once, which makes it, or name its \
             directory with `--state-dir DIR`",
            printable(&database.to_string_lossy())
        );
    }
    let (mut imports, mut notes) = (Vec::new(), Vec::new());
    let known = History::at(database.clone())
        .open(&config.timezone)?
        .devices()?;
    let now = Timestamp::now();
    for path in &args.files {
        let shown = printable(&path.to_string_lossy()).into_owned();
        let bytes = read(path).with_context(|| format!("cannot read {shown}"))?;
        let hash: String =
            digest(&SHA256, &bytes)
                .as_ref()
                .iter()
                .fold(String::new(), |mut hash, byte| {
                    // Writing to a string does not fail.
                    write!(hash, "{byte:02x}").unwrap_or(());
                    hash
                });
        let text = String::from_utf8(bytes).map_err(|error| {
            anyhow::anyhow!(
                "{shown} is not UTF-8 text, at byte {}",
                error.utf8_error().valid_up_to()
            )
        })?;
        let format = args.format.or_else(|| detect(&text)).with_context(|| {
            format!("cannot tell who wrote {shown}; say so with `--format usage-log`, `vnstat` or `nlbwmon`")
        })?;
        let parsed = parse(args, &config.timezone, format, path, &text, now)
            .with_context(|| shown.clone())?;
        let noted = parsed.notes.iter().map(|note| format!("{shown}: {note}"));
        notes.extend(noted);
        let given: Vec<_> = args.device.iter().chain(&args.interface).cloned().collect();
        let book = Book {
            devices: &known,
            registered: &config.policy.registered,
            given: &given,
            faces: args.faces.unwrap_or_default(),
        };
        imports.extend(by_part(&parsed, format, &book, &config).into_iter().map(
            |(source, buckets)| Import {
                source,
                file: shown.clone(),
                hash: hash.clone(),
                buckets,
            },
        ));
    }
    let mode = if args.dry_run { Mode::Try } else { Mode::Write };
    let imported = store::import(&database, &config.timezone, now, &imports, mode)?;
    let text = if args.json {
        pretty(&serde_json::to_string(&lines(
            &imports,
            &imported,
            &config.timezone,
        ))?)
    } else {
        let look = Look::of_stdout(options.color);
        render(&imports, &imported, &notes, mode, &config.timezone, look)
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(path)?),
    };
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        anyhow::bail!("it is larger than {MAX_BYTES} bytes; split it");
    }
    Ok(bytes)
}

fn parse(
    args: &ImportArgs,
    zone: &TimeZone,
    format: Format,
    path: &Path,
    text: &str,
    now: Timestamp,
) -> anyhow::Result<Parsed> {
    Ok(match format {
        Format::UsageLog => usage_log::parse(text, zone)?,
        Format::Vnstat => {
            if args.faces.is_none() {
                anyhow::bail!(
                    "what vnStat calls received depends on where its interface is: say `--faces lan` \
                     if your devices are behind it, `--faces wan` if the internet is"
                );
            }
            let mut parsed = vnstat::parse(text, zone)?;
            keep_named(&mut parsed, args)?;
            parsed
        }
        Format::Nlbwmon => {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let period = match (args.from, args.to) {
                (Some(from), Some(to)) => Period::new(from, to),
                (Some(from), None) => Period::month_from(from),
                (None, _) => Period::in_name(&name),
            };
            let period = period.context(
                "nlbwmon's export does not say which days it is about, and neither does the name of the \
                 file; say so with `--from DAY --to DAY`, at most a year",
            )?;
            let today = now.to_zoned(zone.clone()).date();
            let period = Period::new(period.from, period.to.min(today))
                .context("its days are yet to come")?;
            let mut parsed = nlbwmon::parse(text, period)?;
            parsed.notes.push(format!(
                "taken as of {} to {}, spread evenly over these days",
                period.from, period.to
            ));
            parsed
        }
    })
}

/// Leaves only interfaces that the owner named, if any were.
fn keep_named(parsed: &mut Parsed, args: &ImportArgs) -> anyhow::Result<()> {
    for (name, _) in &args.interface {
        let is_it = |who: &Named| matches!(who, Named::Interface(other) if other == name);
        if !parsed.entries.iter().any(|entry| is_it(&entry.who)) {
            anyhow::bail!("it has nothing of an interface {}", printable(name));
        }
    }
    let is_named = |who: &Named| match who {
        Named::Interface(name) => args.interface.iter().any(|(other, _)| other == name),
        Named::Device { .. } => true,
    };
    if !args.interface.is_empty() {
        parsed.entries.retain(|entry| is_named(&entry.who));
    }
    Ok(())
}

/// What is taken once each: a file, or of vnStat an interface of it.
fn by_part(
    parsed: &Parsed,
    format: Format,
    book: &Book<'_>,
    config: &Config,
) -> Vec<(String, Vec<store::ImportedBucket>)> {
    let mut parts: Vec<(String, Vec<_>)> = Vec::new();
    for entry in &parsed.entries {
        let source = match (format, &entry.who) {
            (Format::UsageLog, _) => "usage-log".to_owned(),
            (Format::Nlbwmon, _) => "nlbwmon".to_owned(),
            (Format::Vnstat, Named::Interface(name)) => format!("vnstat {name}"),
            (Format::Vnstat, Named::Device { .. }) => "vnstat".to_owned(),
        };
        match parts.iter_mut().find(|(other, _)| *other == source) {
            Some((_, entries)) => entries.push(entry.clone()),
            None => parts.push((source, vec![entry.clone()])),
        }
    }
    parts
        .into_iter()
        .map(|(source, entries)| (source, book.buckets(&entries, &config.timezone)))
        .collect()
}

fn lines(imports: &[Import], imported: &[Imported], zone: &TimeZone) -> Vec<Line> {
    let day = |minute| time_of(minute).to_zoned(zone.clone());
    let shown = |minute| day(minute).strftime("%Y-%m-%d %H:%M").to_string();
    let mut lines = Vec::new();
    for (import, imported) in imports.iter().zip(imported) {
        for (subject, taken) in &imported.subjects {
            lines.push(Line {
                file: import.file.clone(),
                source: import.source.clone(),
                subject: subject.clone(),
                from: taken.period.map(|(from, _)| shown(from)),
                until: taken.period.map(|(_, until)| shown(until)),
                rows: taken.taken,
                bytes: taken.bytes,
                left_out_rows: taken.left_out,
                left_out_bytes: taken.bytes_left_out,
            });
        }
    }
    lines
}

fn render(
    imports: &[Import],
    imported: &[Imported],
    notes: &[String],
    mode: Mode,
    zone: &TimeZone,
    look: Look,
) -> String {
    let lines = lines(imports, imported, zone);
    let mut table = Table::new(&TAKEN);
    for line in &lines {
        let left_out = match line.left_out_rows {
            0 => "-".to_owned(),
            _ => human::bytes(line.left_out_bytes),
        };
        let row = [
            printable(&line.subject).into_owned(),
            line.from.clone().unwrap_or_else(|| "-".to_owned()),
            line.until.clone().unwrap_or_else(|| "-".to_owned()),
            line.rows.to_string(),
            human::bytes(line.bytes),
            left_out,
        ];
        table.row(Style::new(), row);
    }
    let mut text = match lines.is_empty() {
        true => String::new(),
        false => format!("{}\n", table.render(look)),
    };
    // Writing to a string does not fail.
    let mut note = |name: &str, value: &str| writeln!(text, "{name:<10}{value}").unwrap_or(());
    for (import, imported) in imports.iter().zip(imported) {
        if let Some(before) = imported.before {
            let day = before.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
            let what = format!(
                "{} was imported on {day} already: {}",
                import.file, import.source
            );
            note("note", &what);
        }
    }
    for line in notes {
        note("note", line);
    }
    if lines.iter().any(|line| line.left_out_rows > 0) {
        note(
            "note",
            "left out is what is known already: bwmon's own history stands",
        );
    }
    if imports.is_empty() {
        note("note", "there is nothing in it to import");
    }
    if mode == Mode::Try {
        note("note", "this was a try, nothing was written");
    }
    text
}
