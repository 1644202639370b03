//! What is printed for a reader that has gone.

use crate::support::ctigate;

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for arguments in [&["dissector"][..], &["schema"], &["check-config", "--sample"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ran = ctigate(arguments).stdout(writer).output().expect("the command ends");
        assert_eq!((ran.status.code(), &ran.stderr[..]), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_one() {
    for arguments in [&["dissector"][..], &["schema"], &["check-config", "--sample"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let ran = ctigate(arguments).stdout(full).output().expect("the command ends");
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(said.starts_with("ctigate: cannot write: "), "{arguments:?}: {said}");
    }
}
