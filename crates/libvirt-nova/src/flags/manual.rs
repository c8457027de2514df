//! docs/libvirt_nova.1: its lists of flags are written from the definition, and its examples
//! are command lines.

use std::{ffi::OsString, fs, path::Path};

use clap::Command;
use clap_mangen::Man;
use expect_test::expect_file;

use super::{Stop, command_line, parse, parse_top, top};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/libvirt_nova.1");

#[test]
fn the_manual_has_every_flag() {
    let mut page = fs::read_to_string(PAGE).unwrap();
    for (mark, command) in [("options", command_line::command()), ("top", top::command())] {
        let (begin, end) = (format!(".\\\" {mark}\n"), format!(".\\\" end of {mark}\n"));
        let (before, rest) = page.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        page = format!("{before}{begin}{}{end}{after}", flags(command));
    }
    expect_file![Path::new(PAGE)].assert_eq(&page);
}

/// The flags under their headings, which are subsections here; default, choices and variables
/// each on a line of its own.
fn flags(command: Command) -> String {
    let mut text = Vec::new();
    Man::new(command).render_options_section(&mut text).unwrap();
    String::from_utf8(text).unwrap().replace(".SH ", ".SS ").replace("\n[", "\n.br\n[")
}

#[test]
fn the_manual_is_of_this_version() {
    let page = fs::read_to_string(PAGE).unwrap();
    let title = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
    let version = concat!("\"libvirt_nova ", env!("CARGO_PKG_VERSION"), "\"");
    assert!(title.contains(version), "{title}");
}

#[test]
fn examples_of_the_manual_are_command_lines() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, examples) = page.split_once(".SH EXAMPLES\n").unwrap();
    let (examples, _) = examples.split_once("\n.SH ").unwrap();
    let lines = examples.lines().filter_map(|line| line.strip_prefix(".B libvirt_nova"));
    let lines: Vec<_> = lines.map(|line| line.replace("\\-", "-")).collect();
    assert!(lines.len() > 3, "{examples}");
    lines.iter().for_each(|line| assert_parses(line));
}

/// Those that stand alone on a line, as to be copied.
#[test]
fn examples_of_the_documentation_are_command_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut count = 0;
    for page in pages.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("libvirt_nova ")) {
            // What comes behind is the shell's.
            let line = line.split(['#', '|', '>']).next().unwrap_or_default();
            assert_parses(line);
            count += 1;
        }
    }
    assert!(count > 3, "{count} examples");
}

/// Panics where the words behind the program's name are not understood.
fn assert_parses(line: &str) {
    let mut words = line.split_whitespace().map(OsString::from).peekable();
    let stop = if words.next_if(|word| word == "top").is_some() {
        parse_top(words, |_| None).err()
    } else {
        parse(words, |_| None).err()
    };
    assert!(!matches!(stop, Some(Stop::Refusal(_))), "libvirt_nova {line}: {stop:?}");
}
