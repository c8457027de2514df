//! Recorded replies decode to all that they hold.

use std::fs;

use expect_test::expect_file;

use crate::replies;

/// Each reply decodes to the text beside it.
#[test]
fn recorded_replies() {
    for path in replies::all() {
        let payload = fs::read(&path).unwrap();
        let text = replies::dump(&path, &payload).unwrap();
        expect_file![path.with_extension("txt")].assert_eq(&text);
    }
}

/// What a later release may append is passed over.
#[test]
fn bytes_after_a_reply_are_ignored() {
    for path in replies::all() {
        let mut payload = fs::read(&path).unwrap();
        let text = replies::dump(&path, &payload).unwrap();
        payload.extend_from_slice(&[0xff; 32]);
        assert_eq!(replies::dump(&path, &payload).unwrap(), text, "{path:?}");
    }
}
