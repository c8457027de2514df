//! Commands: what changes on the host, and what goes wrong.

use std::{fmt, time::Duration};

use crate::{
    event::Happening,
    host::{Host, State},
    instance::{Altered, DEVICES_MAX, Health, Instance, State as RunState},
    job::Job,
    nova,
    pool::{POOL_STATES, Pool},
};
use words::Words;

mod fault;
mod words;

pub use words::duration;

/// A command that has been understood and can be obeyed.
pub(crate) enum Command {
    /// End the daemon and start another.
    Restart,
    /// End the daemon; its sockets may be left behind.
    Down {
        /// Whether they are.
        stale: bool,
    },
    /// Start the daemon where it is down.
    Up,
    /// Change something on the host.
    Change(Change),
}

/// What a command changes.
pub(crate) type Change = Box<dyn FnOnce(&mut State)>;

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restart => "Restart",
            Self::Down { .. } => "Down",
            Self::Up => "Up",
            Self::Change(_) => "Change",
        })
    }
}

/// A command that is none, or that cannot be obeyed: what was wrong, and what
/// would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    text: String,
}

impl CommandError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Understands a command; whom it names must be on the host.
pub(crate) fn parse(line: &str, host: &Host) -> Result<Command, CommandError> {
    let state = host.state();
    let mut words = Words::new(line, &state);
    let verb = words.next("a command", VERBS)?;
    let command = match verb {
        "restart" => Command::Restart,
        "down" => Command::Down { stale: words.flag("stale")? },
        "up" => Command::Up,
        "domains" => {
            let count = words.number("how many domains", 0..=DOMAINS_MAX)?;
            let first = host.settings.first;
            change(move |state| state.populate(first, count))
        }
        "define" => {
            let number = words.number("the number of an instance", 1..=DOMAINS_MAX)?;
            change(move |state| state.define(number))
        }
        "undefine" => each(words.domains()?, State::undefine),
        "rename" => {
            let numbers = words.domains()?;
            let name = words.some("its new name")?;
            // Nothing tells of it: the list says so.
            each(numbers, move |state, number| {
                with(state, number, |instance| instance.domain.name.clone_from(&name));
            })
        }
        "field" => field(&mut words)?,
        "xml" => {
            let numbers = words.domains()?;
            let texts = (words.some("a text")?, words.some("what is there in its stead")?);
            each(numbers, move |state, number| {
                with(state, number, |instance| instance.xml.push(texts.clone()));
            })
        }
        "migrate" => {
            let numbers = words.domains()?;
            match words.peek() {
                None => each(numbers, State::migrate),
                Some(_) if words.next("how it ends", &["end", "abort"])? == "end" => {
                    each(numbers, State::end_migration)
                }
                Some(_) => each(numbers, |state, number| {
                    with(state, number, |instance| instance.migration = None);
                }),
            }
        }
        "reboot" => each(words.domains()?, |state, number| tell(state, number, &Happening::Reboot)),
        "watchdog" => {
            each(words.domains()?, |state, number| tell(state, number, &Happening::Watchdog))
        }
        "io-error" => each(words.domains()?, io_error),
        "pool" => pool(&mut words)?,
        "start" => each(words.domains()?, |state, number| {
            state.start(number);
        }),
        "destroy" => each(words.domains()?, |state, number| {
            state.destroy(number);
        }),
        "suspend" => each(words.domains()?, suspend),
        "resume" => each(words.domains()?, resume),
        "metadata" => metadata(&mut words)?,
        "attach" => device(&mut words, attach)?,
        "detach" => device(&mut words, detach)?,
        "balloon" => {
            let numbers = words.domains()?;
            let is_on = words.next("on or off", &["on", "off"])? == "on";
            each(numbers, move |state, number| {
                with(state, number, |instance| instance.balloon_driver = is_on);
            })
        }
        "stuck" => health(words.domains()?, Health::Stuck),
        "hold" => health(words.domains()?, Health::Held),
        "busy" => each(words.domains()?, |state, number| {
            with(state, number, |it| it.job = Some(Job::Other(tokio::time::Instant::now())));
        }),
        "continue" => each(words.domains()?, |state, number| {
            with(state, number, |instance| {
                instance.health = Health::Well;
                if matches!(instance.job, Some(Job::Other(_))) {
                    instance.job = None;
                }
            });
        }),
        "fault" => fault::parse(&mut words)?,
        "clear" => change(|state| state.faults.clear()),
        "latency" => {
            let latency = words.duration("how long a call takes")?;
            change(move |state| state.latency = latency)
        }
        "auth" => {
            let polkit = words.next("none or polkit", &["none", "polkit"])? == "polkit";
            change(move |state| state.polkit = polkit)
        }
        "flood" => {
            let count = words.number("how many events", 0..=FLOOD_MAX)?;
            change(move |state| flood(state, count))
        }
        "message" => {
            let procedure = words.number("the number of a message", 0..=u32::MAX)?;
            change(move |state| state.subscribers.tell_anything(procedure))
        }
        "freeze" => change(|state| state.frozen = true),
        "thaw" => change(|state| state.frozen = false),
        _ => match words.next_moment()? {
            Some(at) => change(move |state| state.clock.stand(at)),
            None => change(|state| state.clock.run()),
        },
    };
    words.end()?;
    Ok(command)
}

/// Every command's first word.
const VERBS: &[&str] = &[
    "domains", "start", "destroy", "suspend", "resume", "metadata", "attach", "detach", "balloon",
    "define", "undefine", "rename", "field", "xml", "migrate", "reboot", "watchdog", "io-error",
    "pool", "stuck", "hold", "busy", "continue", "fault", "clear", "latency", "auth", "flood",
    "message", "freeze", "thaw", "restart", "down", "up", "clock",
];
/// As many domains as a host is asked for; the protocol's own limit is 16,384.
const DOMAINS_MAX: u32 = 10_000;
/// Enough to overflow any queue that has a bound.
const FLOOD_MAX: u32 = 1_000_000;

fn change(what: impl FnOnce(&mut State) + 'static) -> Command {
    Command::Change(Box::new(what))
}

fn each(numbers: Vec<u32>, what: impl Fn(&mut State, u32) + 'static) -> Command {
    change(move |state| numbers.into_iter().for_each(|number| what(state, number)))
}

fn with(state: &mut State, number: u32, what: impl FnOnce(&mut Instance)) {
    state.instances.get_mut(&number).map(what);
}

fn health(numbers: Vec<u32>, health: Health) -> Command {
    each(numbers, move |state, number| with(state, number, |it| it.health = health))
}

fn suspend(state: &mut State, number: u32) {
    let State { clock, instances, subscribers, .. } = state;
    let running = |it: &&mut Instance| it.is_active() && it.state.numbers().0 == 1;
    if let Some(instance) = instances.get_mut(&number).filter(running) {
        instance.suspend(clock.now(), RunState::Paused);
        subscribers.tell(&instance.domain, &Happening::SUSPENDED);
    }
}

/// A disk has no room, so the guest is paused.
fn io_error(state: &mut State, number: u32) {
    let State { clock, instances, subscribers, .. } = state;
    let running = |it: &&mut Instance| it.is_active() && it.state.numbers().0 == 1;
    if let Some(instance) = instances.get_mut(&number).filter(running) {
        let happening = Happening::IoError(instance.disk_path(0), "virtio-disk0".to_owned());
        subscribers.tell(&instance.domain, &happening);
        instance.suspend(clock.now(), RunState::IoError);
        subscribers.tell(&instance.domain, &Happening::SUSPENDED_IO_ERROR);
    }
}

/// Tells of a domain that runs.
fn tell(state: &State, number: u32, what: &Happening) {
    if let Some(instance) = state.instances.get(&number).filter(|it| it.is_active()) {
        state.subscribers.tell(&instance.domain, what);
    }
}

fn field(words: &mut Words<'_>) -> Result<Command, CommandError> {
    let numbers = words.domains()?;
    let field = words.some("a field")?;
    let value = words.some("its value")?;
    let altered = match (&*value, value.parse()) {
        ("-", _) => Altered::Gone,
        (_, Ok(number)) => Altered::Number(number),
        (_, Err(_)) => Altered::Text(value),
    };
    Ok(each(numbers, move |state, number| {
        with(state, number, |instance| instance.alter(field.clone(), altered.clone()));
    }))
}

fn pool(words: &mut Words<'_>) -> Result<Command, CommandError> {
    let name = words.some("a pool's name")?;
    let right = [&POOL_STATES[..], &["gone"]].concat();
    let state = words.next("its state", &right)?;
    let Some(state) = POOL_STATES.iter().position(|known| *known == state) else {
        return Ok(change(move |state| {
            state.pools.remove(&name);
        }));
    };
    let state = u32::try_from(state).unwrap_or(u32::MAX);
    let capacity = words.number("how many bytes it has", 0..=u64::MAX)?;
    let allocation = words.number("how many of them are taken", 0..=capacity)?;
    Ok(change(move |host| {
        host.pools.insert(name, Pool { state, capacity, allocation });
    }))
}

fn resume(state: &mut State, number: u32) {
    let State { clock, instances, subscribers, .. } = state;
    let paused = |it: &&mut Instance| it.state.numbers().0 == 3;
    if let Some(instance) = instances.get_mut(&number).filter(paused) {
        instance.resume(clock.now());
        subscribers.tell(&instance.domain, &Happening::RESUMED);
    }
}

/// Suspends and resumes the first domain, as far as events go.
fn flood(state: &State, count: u32) {
    let Some(instance) = state.instances.values().next() else { return };
    for at in 0..count {
        let what = if at.is_multiple_of(2) { Happening::SUSPENDED } else { Happening::RESUMED };
        state.subscribers.tell(&instance.domain, &what);
    }
}

fn metadata(words: &mut Words<'_>) -> Result<Command, CommandError> {
    let numbers = words.domains()?;
    let field = words.next("what to change", &["name", "project", "user"])?.to_owned();
    let text = words.rest();
    Ok(each(numbers, move |state, number| {
        let State { instances, subscribers, .. } = state;
        let Some(instance) = instances.get_mut(&number) else { return };
        let nova = &mut instance.nova;
        let changed = match field.as_str() {
            "name" => &mut nova.name,
            "project" => &mut nova.project,
            _ => &mut nova.user,
        };
        changed.clone_from(&text);
        subscribers.tell(&instance.domain, &Happening::MetadataChange(nova::NAMESPACE));
    }))
}

fn device(
    words: &mut Words<'_>,
    what: fn(&mut u32, &str) -> Option<Happening>,
) -> Result<Command, CommandError> {
    let numbers = words.domains()?;
    let is_disk = words.next("what", &["disk", "interface"])? == "disk";
    Ok(each(numbers, move |state, number| {
        let State { instances, subscribers, .. } = state;
        let Some(instance) = instances.get_mut(&number) else { return };
        let (count, kind) = if is_disk {
            (&mut instance.disks, "virtio-disk")
        } else {
            (&mut instance.interfaces, "net")
        };
        if let Some(happening) = what(count, kind) {
            subscribers.tell(&instance.domain, &happening);
        }
    }))
}

fn attach(count: &mut u32, kind: &str) -> Option<Happening> {
    (*count < DEVICES_MAX).then(|| {
        let alias = format!("{kind}{count}");
        *count = count.saturating_add(1);
        Happening::DeviceAdded(alias)
    })
}

fn detach(count: &mut u32, kind: &str) -> Option<Happening> {
    *count = count.checked_sub(1)?;
    Some(Happening::DeviceRemoved(format!("{kind}{count}")))
}

/// How long the clock may be made to have run: ten years.
const MOMENT_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);
