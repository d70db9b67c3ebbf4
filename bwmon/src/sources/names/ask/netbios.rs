//! NetBIOS node status (RFC 1002, 4.2.17): a machine tells the names that it has.

use crate::core::names::Name;

/// A message with one record: header, the name `*` in its long form, type, class, time to live,
/// length.
const QUESTION_TYPE: [u8; 4] = [0, 0x21, 0, 1];
const HEADER: usize = 12;
const ENCODED_NAME: usize = 34;
/// Of a name: 15 characters, padded, what it is for, and flags.
const ENTRY: usize = 18;
const CHARACTERS: usize = 15;
/// The name of the machine itself.
const WORKSTATION: u8 = 0;
/// The name is that of a group.
const GROUP: u8 = 0x80;
/// It is an answer, with no error.
const RESPONSE: u8 = 0x80;
const ERROR: u8 = 0x0f;

/// Asks for all names.
pub(super) fn question(id: u16) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    bytes.extend(any_name());
    bytes.extend(QUESTION_TYPE);
    bytes
}

/// Reads an answer; `None` if it is none. The machine may have no name of its own.
pub(super) fn answer(bytes: &[u8], id: u16) -> Option<Option<Name>> {
    let is_answer = bytes.get(..2)? == id.to_be_bytes()
        && bytes.get(2)? & RESPONSE != 0
        && bytes.get(3)? & ERROR == 0
        // No question, one answer.
        && bytes.get(4..8)? == [0, 0, 0, 1]
        && bytes.get(HEADER..HEADER + ENCODED_NAME)? == any_name()
        && bytes.get(HEADER + ENCODED_NAME..)?.starts_with(&QUESTION_TYPE);
    // Time to live and length follow the type.
    let names = bytes.get(HEADER + ENCODED_NAME + QUESTION_TYPE.len() + 6..)?;
    let (&count, entries) = names.split_first()?;
    if !is_answer {
        return None;
    }
    let mut entries = entries.chunks_exact(ENTRY).take(count.into());
    let machine = entries
        .find(|entry| entry[CHARACTERS] == WORKSTATION && entry[CHARACTERS + 1] & GROUP == 0);
    Some(machine.and_then(|entry| Name::of_host(&String::from_utf8_lossy(&entry[..CHARACTERS]))))
}

/// `*` and fifteen zeros, each half of a byte as a letter, after their number.
fn any_name() -> [u8; ENCODED_NAME] {
    let mut name = [b'A'; ENCODED_NAME];
    name[0] = 32;
    name[1..3].copy_from_slice(b"CK");
    name[ENCODED_NAME - 1] = 0;
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a machine answers that has these names.
    fn status(id: u16, names: &[(&str, u8, u8)]) -> Vec<u8> {
        let mut bytes = id.to_be_bytes().to_vec();
        bytes.extend([0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        bytes.extend(any_name());
        bytes.extend(QUESTION_TYPE);
        bytes.extend([0, 0, 0, 0]);
        let length = 1 + names.len() * ENTRY + 46;
        bytes.extend((length as u16).to_be_bytes());
        bytes.push(names.len() as u8);
        for (name, kind, flags) in names {
            bytes.extend(format!("{name:<15}").bytes());
            bytes.extend([*kind, *flags, 0]);
        }
        bytes.extend([0; 46]);
        bytes
    }

    fn check(bytes: &[u8], expected: Option<Option<&str>>) {
        let read = answer(bytes, 7);
        let read = read.as_ref().map(|name| name.as_ref().map(Name::as_str));
        assert_eq!(read, expected);
    }

    #[test]
    fn the_name_of_the_machine_is_read() {
        check(
            &status(
                7,
                &[
                    ("WORKGROUP", 0, 0x84),
                    ("DESKTOP-1", 0x20, 4),
                    ("DESKTOP-1", 0, 4),
                ],
            ),
            Some(Some("DESKTOP-1")),
        );
        check(&status(7, &[("WORKGROUP", 0, 0x84)]), Some(None));
        check(&status(7, &[("\u{1b}[2J", 0, 4)]), Some(Some("[2J")));
        check(&status(7, &[]), Some(None));
        check(&status(8, &[("DESKTOP-1", 0, 4)]), None);
        check(&question(7), None);
        check(&[], None);
    }

    #[test]
    fn the_question_is_for_all_names() {
        let question = question(0x1234);
        assert_eq!(question.len(), 50);
        assert_eq!(question[..2], [0x12, 0x34]);
        assert_eq!(&question[12..46], b"\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0");
    }

    proptest! {
        #[test]
        fn no_message_panics(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = status(7, &[("DESKTOP-1", 0, 4), ("B", 0, 4)]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let cut = cut.index(bytes.len());
            answer(&bytes, 7);
            answer(&bytes[..cut], 7);
        }
    }
}
