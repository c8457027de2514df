//! Screens, and what keys make of them.

use std::{fmt::Write, time::Duration};

use expect_test::{ExpectFile, expect_file};
use jiff::tz::TimeZone;
use ratatui_core::{
    backend::TestBackend,
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
    terminal::Terminal,
};
use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::time::Instant;

use super::{
    keys::Reaction,
    order::SortKey,
    scene::{Lost, News, Scene},
    screen,
    view::View,
};
use crate::{
    board::{Board, Host, Libvirt, LibvirtState, Pulse, Row},
    filter::Filter,
};

/// 07:52:31 of some day.
const AT: f64 = 1_764_057_151.0;
const GIB: u64 = 1 << 30;

fn row(number: u8, name: &str, project: &str, vcpus: u64) -> Row {
    let scale = f64::from(number);
    Row {
        uuid: format!("11111111-2222-4333-8444-{number:012x}"),
        domain: format!("instance-{number:08x}"),
        is_nova: Some(true),
        name: Some(name.to_owned()),
        project: Some(project.to_owned()),
        project_id: Some("6f7c0d".to_owned()),
        flavor: Some("m1.large".to_owned()),
        state: Some("running".to_owned()),
        vcpus: Some(vcpus),
        memory: Some(vcpus * 2 * GIB),
        memory_used: Some(vcpus * GIB),
        read_bytes: Some(4096.0 * scale),
        written_bytes: Some(1e6 / scale),
        read_requests: Some(scale),
        write_requests: Some(12.0),
        received_bytes: Some(300.0 * scale),
        transmitted_bytes: Some(0.0),
        steal: Some(0.03 * scale),
    }
}

fn board() -> Board {
    let mut instances = vec![
        row(1, "web-01", "shop", 4),
        row(2, "web-02", "shop", 4),
        row(3, "database", "Büro München", 16),
        row(4, "a-very-long-name-that-somebody-typed-for-fun", "research", 2),
        Row { domain: "instance-00000005".into(), uuid: "u-5".into(), ..Row::default() },
        row(6, "東京-01", "日本", 1),
    ];
    instances[3].state = Some("paused".to_owned());
    instances[5].memory_used = None;
    let ramp = |highest: f64| (0..60).map(|at| Some(highest * f64::from(at) / 59.0)).collect();
    Board {
        host: Host {
            name: Some("compute-17".into()),
            version: "0.1.0".into(),
            cpus: Some(64),
            memory: Some(256 * GIB),
            is_listed: true,
            is_filtered: false,
            inactive: 2,
            metrics_path: "/metrics".into(),
        },
        instances,
        recent: vec![
            ramp(1.2),
            ramp(4.0),
            vec![None, Some(0.0), Some(8.0), None, Some(16.0)],
            vec![],
            vec![],
            ramp(0.3),
        ],
        pulse: Pulse {
            edition: 3,
            at: AT,
            libvirt: Libvirt { state: LibvirtState::Up, since: AT - 3600.0, error: None },
            polled: Some(0.4),
            surveyed: Some(3.0),
            in_use: vec![Some(1.2), Some(4.0), Some(12.34), Some(0.0), None, Some(0.3)],
            peak: vec![Some(2.5), Some(4.0), Some(16.0), Some(0.1), None, Some(0.31)],
            stuck: vec![(1, 45.0)],
        },
    }
}

fn view_of(board: Board, now: Instant) -> View {
    let mut view = View::new(Scene::new(Filter::default()), SortKey::Vcpu, TimeZone::UTC);
    view.scene.take(News::Board(Box::new(board)), now);
    view
}

fn drawn(view: &mut View, now: Instant, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let area = Rect::new(0, 0, width, height);
    terminal.draw(|frame| screen::draw(view, now, area, frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut skip = 0;
        let mut line = String::new();
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
                skip = super::plain::width(symbol);
            }
            skip = skip.saturating_sub(1);
        }
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

/// What is red, dimmed or reversed.
fn marked(buffer: &Buffer, is_marked: impl Fn(Color, Modifier) -> bool) -> Vec<String> {
    let rows = (0..buffer.area.height).map(|y| {
        let cells = (0..buffer.area.width).map(|x| &buffer[(x, y)]);
        let marked = cells.filter(|cell| is_marked(cell.fg, cell.modifier));
        marked.map(Cell::symbol).collect::<String>().trim().to_owned()
    });
    rows.filter(|row| !row.is_empty()).collect()
}

fn assert_screen(expected: &ExpectFile, view: &mut View, now: Instant, width: u16, height: u16) {
    expected.assert_eq(&text(&drawn(view, now, width, height)));
}

fn press(view: &mut View, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\u{8}' => KeyCode::Backspace,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            '⇟' => KeyCode::PageDown,
            '⇤' => KeyCode::Home,
            '⇥' => KeyCode::End,
            key => KeyCode::Char(key),
        };
        let reaction = view.press(KeyEvent::new(code, KeyModifiers::NONE), Instant::now());
        assert_eq!(reaction, Reaction::Nothing, "{key:?}");
    }
}

fn names(view: &View) -> Vec<String> {
    let guests = view.guests(Instant::now());
    guests.iter().map(|guest| guest.name().chars().take(8).collect()).collect()
}

#[test]
fn screens_of_all_widths() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    assert_screen(&expect_file!["../../testdata/top/wide.txt"], &mut view, now, 160, 12);
    assert_screen(&expect_file!["../../testdata/top/80.txt"], &mut view, now, 80, 12);
    assert_screen(&expect_file!["../../testdata/top/40.txt"], &mut view, now, 40, 12);
    // However small: no panic.
    for (width, height) in [(0, 0), (1, 1), (5, 3), (12, 5), (200, 2), (1, 60), (300, 100)] {
        drawn(&mut view, now, width, height);
        for mode in ["?", "\u{1b}", "\n", "\u{1b}", "/"] {
            press(&mut view, mode);
            drawn(&mut view, now, width, height);
        }
        press(&mut view, "\u{1b}");
    }
}

#[test]
fn a_stuck_guest_is_red_and_so_is_the_line_that_counts_it() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    let red = marked(&drawn(&mut view, now, 160, 12), |color, _| color == Color::Red);
    let [count, guest] = &red[..] else { panic!("{red:?}") };
    assert!(count.starts_with("Guests 6: 1 STUCK, 4 running, 1 active, 1 paused"), "{count}");
    assert!(guest.starts_with("web-02") && guest.ends_with("stuck 45s"), "{guest}");
    // It has been stuck for as long as we have heard nothing new.
    let later = now + Duration::from_secs(4);
    assert!(text(&drawn(&mut view, later, 160, 12)).contains("stuck 49s"));
}

#[test]
fn a_libvirtd_that_cannot_be_asked_is_told_of_and_the_table_dimmed() {
    let now = Instant::now();
    let mut board = board();
    board.pulse.libvirt = Libvirt {
        state: LibvirtState::Down,
        since: AT - 125.0,
        error: Some("cannot connect to /run/libvirt/libvirt-sock-ro: Connection refused".into()),
    };
    board.pulse.in_use = vec![None; 6];
    let mut view = view_of(board, now);
    assert_screen(&expect_file!["../../testdata/top/down.txt"], &mut view, now, 80, 14);
    let is_dim = |_, modifier: Modifier| modifier.contains(Modifier::DIM);
    assert_eq!(marked(&drawn(&mut view, now, 80, 14), is_dim).len(), 6);
}

#[test]
fn an_exporter_that_is_lost_is_told_of_until_it_is_back() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    let lost = Lost {
        whom: "http://192.0.2.7:9100".into(),
        since: AT,
        since_instant: now,
        why: "cannot connect: Connection refused".into(),
    };
    view.scene.take(News::Lost(lost), now + Duration::from_secs(1));
    let later = now + Duration::from_secs(61);
    let shown = text(&drawn(&mut view, later, 120, 14));
    let told = "http://192.0.2.7:9100 does not answer since 07:52:31 (1m01s): \
                cannot connect: Connection refused";
    assert!(shown.contains(told), "{shown}");
    view.scene.take(News::Board(Box::new(board())), later);
    assert!(!text(&drawn(&mut view, later, 120, 14)).contains("does not answer"));
    // One that is connected and says nothing is told of, too.
    let shown = text(&drawn(&mut view, later + Duration::from_secs(6), 120, 14));
    assert!(shown.contains("nothing new is heard since 07:52:31 (6.0s)"), "{shown}");
}

#[test]
fn what_a_survey_found_is_dimmed_after_two_minutes_and_absent_after_five() {
    let now = Instant::now();
    let is_dim = |_, modifier: Modifier| modifier.contains(Modifier::DIM);
    let view = |surveyed: Option<f64>| {
        let mut board = board();
        board.pulse.surveyed = surveyed;
        let mut view = view_of(board, now);
        let buffer = drawn(&mut view, now, 160, 12);
        (marked(&buffer, is_dim).len(), text(&buffer).contains("6.0%"))
    };
    assert_eq!(view(Some(119.0)), (0, true));
    assert_eq!(view(Some(121.0)), (6, true));
    assert_eq!(view(Some(301.0)), (0, false));
    assert_eq!(view(None), (0, false));
}

#[test]
fn each_key_sorts_and_what_is_not_known_comes_last() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    let mut orders = String::new();
    for key in "ckmdnsNPFSr<>".chars() {
        press(&mut view, &key.to_string());
        writeln!(orders, "{key} {:?} {}", view.sort, names(&view).join(", ")).unwrap();
    }
    expect_file!["../../testdata/top/orders.txt"].assert_eq(&orders);
    let mut all = Vec::new();
    for _ in 0..10 {
        press(&mut view, ">");
        all.push(view.sort);
    }
    all.dedup();
    assert_eq!(all.len(), 10, "> leads to each");
}

#[test]
fn a_filter_narrows_the_table_and_is_kept_or_cleared() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    for (filter, expected) in [
        ("WEB", &["web-02", "web-01"][..]),
        ("büro", &["database"]),
        ("paused", &["a-very-l"]),
        ("stuck", &["web-02"]),
        ("instance-00000005", &["instance"]),
        ("8444-000000000006", &["東京-01"]),
        ("nobody", &[]),
    ] {
        press(&mut view, "/");
        press(&mut view, filter);
        assert_eq!(names(&view), expected, "{filter}");
        press(&mut view, "\n");
        assert_eq!(names(&view), expected, "{filter}");
        // Keys are keys again.
        press(&mut view, "r");
        press(&mut view, "r\u{1b}");
        assert_eq!(names(&view).len(), 6);
    }
    press(&mut view, "/qq\u{8}\u{8}");
    assert_eq!(names(&view).len(), 6);
    press(&mut view, "web\u{1b}");
    assert_eq!(names(&view).len(), 6);
    press(&mut view, "/web");
    assert_screen(&expect_file!["../../testdata/top/filter.txt"], &mut view, now, 80, 9);
}

#[test]
fn q_ctrl_c_and_esc_quit() {
    let mut view = view_of(board(), Instant::now());
    let mut press = |code, modifiers| view.press(KeyEvent::new(code, modifiers), Instant::now());
    let none = KeyModifiers::NONE;
    assert_eq!(press(KeyCode::Char('q'), none), Reaction::Quit);
    assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Reaction::Quit);
    assert_eq!(press(KeyCode::Char('z'), KeyModifiers::CONTROL), Reaction::Suspend);
    assert_eq!(press(KeyCode::Esc, none), Reaction::Quit);
    for open in [KeyCode::Char('?'), KeyCode::Enter, KeyCode::Char('/')] {
        assert_eq!(press(open, none), Reaction::Nothing);
        assert_eq!(press(KeyCode::Esc, none), Reaction::Nothing, "{open:?}");
    }
    assert_eq!(press(KeyCode::Esc, none), Reaction::Quit);
}

#[test]
fn the_guest_that_is_looked_at_stays_on_the_screen_wherever_it_goes() {
    let now = Instant::now();
    let mut all = board();
    all.instances = (0..100).map(|number| row(number, &format!("g-{number:02}"), "p", 1)).collect();
    all.pulse.in_use = (0..100).map(|number| Some(f64::from(number))).collect();
    let mut view = view_of(all, now);
    let is_reversed = |_, modifier: Modifier| modifier.contains(Modifier::REVERSED);
    let selected = |view: &mut View| {
        // The first one is the line of titles.
        marked(&drawn(view, now, 80, 15), is_reversed).get(1).map(|row| row[..4].to_owned())
    };
    assert_eq!(selected(&mut view), None);
    for (keys, expected) in [
        ("↓", "g-99"),
        ("↓↓", "g-97"),
        ("⇟", "g-87"),
        ("⇥", "g-00"),
        ("↓", "g-00"),
        ("↑", "g-01"),
        ("r", "g-01"),
        ("⇤", "g-00"),
    ] {
        press(&mut view, keys);
        assert_eq!(selected(&mut view).unwrap(), expected, "{keys}");
    }
    // From nothing, it is the first that is seen.
    press(&mut view, "N\n");
    let details = text(&drawn(&mut view, now, 80, 22));
    assert!(details.contains("libvirt name  instance-00000000"), "{details}");
}

#[test]
fn details_and_help() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    press(&mut view, "↓↓\n");
    assert_screen(&expect_file!["../../testdata/top/details.txt"], &mut view, now, 80, 22);
    press(&mut view, "?");
    assert_screen(&expect_file!["../../testdata/top/help.txt"], &mut view, now, 80, 22);
    press(&mut view, "?↓\n");
    view.scene.take(News::Board(Box::new(Board { instances: Vec::new(), ..board() })), now);
    assert!(text(&drawn(&mut view, now, 80, 22)).contains("this guest runs here no more"));
}

#[test]
fn names_of_tenants_neither_drive_the_terminal_nor_move_the_columns() {
    let now = Instant::now();
    let names = [
        "\u{1b}[2J\u{1b}[31m",
        "\u{202e}drawkcab\u{202c}",
        "a\r\nb\tc\u{8}\u{8}",
        "東京東京東京東京東京東京東京東京",
        "\u{301}\u{301}\u{301}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}",
        "❤\u{fe0f}\u{200d}🔥👩\u{200d}👩\u{200d}👧🇩🇪",
        "สวัสดี हिन्दी עברית",
        "\u{9b}6n\u{90}x\u{9c}",
        "\u{e000}\u{fffe}\u{e0041}",
        "",
        " ",
    ];
    let mut hostile = board();
    hostile.instances =
        (0_u8..).zip(names).map(|(number, name)| row(number, name, name, 1)).collect();
    for instance in &mut hostile.instances {
        instance.flavor.clone_from(&instance.name);
        instance.state.clone_from(&instance.name);
    }
    hostile.host.name = Some("h\u{1b}]0;x\u{7}".into());
    hostile.pulse.libvirt.error = Some("\u{1b}c".into());
    let mut view = view_of(hostile, now);
    for width in [160, 80, 40] {
        let buffer = drawn(&mut view, now, width, 20);
        for cell in &buffer.content {
            assert!(cell.symbol().chars().all(crate::log::is_printable), "{:?}", cell.symbol());
            assert!(cell.symbol().chars().count() <= 4, "{:?}", cell.symbol());
        }
        // Its number of vCPUs is where everybody's is.
        let slashes = (4..16).map(|y| {
            let from = if width == 160 { 80 } else { 12 };
            (from..width).find(|x| buffer[(*x, y)].symbol() == "/").unwrap()
        });
        let mut slashes: Vec<_> = slashes.collect();
        slashes.dedup();
        assert_eq!(slashes.len(), 1, "{width}\n{}", text(&buffer));
    }
    press(&mut view, "↓\n");
    drawn(&mut view, now, 80, 20);
}

#[test]
fn pulses_move_the_minute_and_those_of_another_edition_nothing() {
    let now = Instant::now();
    let mut view = view_of(board(), now);
    let pulse = board().pulse;
    let in_use = |number| vec![Some(number); 6];
    let other = Pulse { edition: 4, in_use: in_use(9.0), at: AT + 1.0, ..pulse.clone() };
    view.scene.take(News::Pulse(other), now);
    assert_eq!(view.guests(now)[0].in_use, Some(12.34));
    // Late, early, and after a pause.
    for (seconds, number) in [(1.4, 1.0), (1.9, 2.0), (5.0, 3.0)] {
        let pulse = Pulse { in_use: in_use(number), at: AT + seconds, ..pulse.clone() };
        view.scene.take(News::Pulse(pulse), now);
    }
    let guests = view.scene.guests(now).collect::<Vec<_>>();
    let last: Vec<_> = guests[3].recent.unwrap().iter().map(|it| it.unwrap()).collect();
    assert_eq!(last, [1.0, 2.0, 3.0, 3.0, 3.0]);
    assert_eq!(guests[0].recent.unwrap().len(), 60);
    // A clock that jumps, or is none.
    for at in [AT + 1e9, f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let pulse = Pulse { at, in_use: vec![Some(f64::NAN)], ..pulse.clone() };
        view.scene.take(News::Pulse(pulse), now);
        drawn(&mut view, now, 160, 12);
    }
}

#[test]
fn a_board_that_does_not_fit_together_is_survived() {
    let now = Instant::now();
    let mut odd = board();
    odd.recent.truncate(1);
    odd.pulse.in_use = vec![Some(f64::MAX), Some(-1.0)];
    odd.pulse.peak.clear();
    odd.pulse.stuck = vec![(0, f64::NAN), (usize::MAX, -1.0), (1, 1e300)];
    odd.pulse.polled = Some(f64::INFINITY);
    odd.pulse.surveyed = Some(-1e9);
    odd.instances[0].vcpus = Some(u64::MAX);
    odd.instances[0].memory = Some(u64::MAX);
    odd.instances[1].memory = Some(u64::MAX);
    let mut view = view_of(odd, now);
    for width in [160, 80, 40] {
        drawn(&mut view, now, width, 12);
    }
}

#[test]
fn the_filter_of_the_command_line_admits_by_name_and_project() {
    let now = Instant::now();
    let filter = Filter { projects: Some("shop|6f7c0e".parse().unwrap()), ..Filter::default() };
    let mut view = View::new(Scene::new(filter), SortKey::Name, TimeZone::UTC);
    let mut board = board();
    board.instances[3].project_id = Some("6f7c0e".into());
    view.scene.take(News::Board(Box::new(board)), now);
    assert_eq!(names(&view), ["a-very-l", "web-01", "web-02"]);
    let shown = text(&drawn(&mut view, now, 80, 12));
    assert!(shown.contains("vCPUs 5.20/10/64"), "{shown}");
    assert!(shown.contains("Guests 3: 1 STUCK, 2 running, 1 paused"), "{shown}");
}
