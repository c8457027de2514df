//! Which files are accepted, and what is said of those that are not.

use std::{fmt::Write, fs, path::PathBuf};

use expect_test::expect_file;

use super::*;

/// Where the files are, with the certificates that they name.
fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/web-config")
}

/// What a start with a file would say, in one line.
fn verdict(path: &Path) -> String {
    let loaded = read(path).and_then(|settings| {
        let settings = Rc::new(settings);
        if let Some(tls) = &settings.tls {
            Tls::load(tls, &settings)?;
        }
        Ok(settings)
    });
    match loaded {
        Ok(settings) if settings.warnings.is_empty() => "accepted".into(),
        Ok(settings) => format!("accepted, but {}", settings.warnings.join("; ")),
        Err(fault) => format!("refused: {fault}"),
    }
}

#[test]
fn each_file_has_its_verdict() {
    let dir = testdata();
    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yml").map(str::to_owned))
        .chain(["no_such_file".into()])
        .collect();
    names.sort();
    let mut verdicts = String::new();
    for name in names {
        let verdict = verdict(&dir.join(format!("{name}.yml")));
        assert!(!verdict.contains('\n'), "{name}: {verdict}");
        let verdict = verdict.replace(&format!("{}/", dir.display()), "");
        writeln!(verdicts, "{name:<32} {verdict}").unwrap();
    }
    expect_file!["../../testdata/web-config/verdicts.txt"].assert_eq(&verdicts);
}
