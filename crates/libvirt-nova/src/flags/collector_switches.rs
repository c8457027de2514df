//! `--collector.NAME`, for each collector that there is.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, parser::ValueSource};

use super::command_line::{checked, switch};
use crate::collectors::{Collector, Collectors};

/// What the names of these flags begin with, behind the dashes.
pub(super) const PREFIX: &str = "collector.";

/// The collectors that are on, as the switches say.
#[derive(Debug)]
pub(super) struct CollectorSwitches(pub(super) Collectors);

impl Args for CollectorSwitches {
    fn augment_args(command: Command) -> Command {
        let switches = Collector::ALL.into_iter().map(|collector| {
            let default = if collector.is_default() { "true" } else { "false" };
            new_switch(name(collector)).help(collector.about()).default_value(default)
        });
        let disable = new_switch(DISABLE_DEFAULTS.to_owned())
            .help("No collector but those that are named")
            .default_value("false");
        command.args(switches).arg(disable)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

const DISABLE_DEFAULTS: &str = "collector.disable-defaults";

impl FromArgMatches for CollectorSwitches {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let is_on = |name: &str| matches.get_one(name).is_some_and(|is_on: &bool| *is_on);
        let are_defaults_disabled = is_on(DISABLE_DEFAULTS);
        Ok(Self(Collectors::of(|collector| {
            let name = name(collector);
            let is_named = matches.value_source(&name) != Some(ValueSource::DefaultValue);
            is_on(&name) && (is_named || !are_defaults_disabled)
        })))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn name(collector: Collector) -> String {
    format!("{PREFIX}{}", collector.name())
}

fn new_switch(name: String) -> Arg {
    Arg::new(name.clone())
        .long(name)
        .help_heading("Collectors")
        .value_name("BOOL")
        .action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(checked(switch))
}
