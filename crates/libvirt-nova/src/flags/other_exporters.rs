//! Flags of other libvirt exporters, so that a unit file need not be rewritten to try this one.

use std::ffi::OsString;

use clap::{ArgAction, Args, builder::OsStringValueParser};

use super::command_line::{checked, switch};

/// What other exporters are told and this one need not be.
///
/// Hidden: a paragraph below the flags explains them.
#[derive(Debug, Args)]
pub(super) struct OtherExporters {
    /// Of vexxhost/libvirtd_exporter. Nova's metadata are always read.
    #[arg(long = "libvirt.nova", value_name = "BOOL", action = ArgAction::Set, hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "true", value_parser = checked(switch))]
    nova: bool,

    /// Of kumina/libvirt_exporter, which Debian has: what `--labels=wide` is.
    #[arg(id = EXPORT_NOVA_METADATA, long = "libvirt.export-nova-metadata")]
    #[arg(value_name = "BOOL", action = ArgAction::Set, hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    _export_nova_metadata: bool,

    /// Of inovex/prometheus-libvirt-exporter, as are the next two. `--uri` says it here.
    #[arg(long = "libvirt.driver", value_name = "VALUE", hide = true)]
    #[arg(value_parser = OsStringValueParser::new())]
    driver: Option<OsString>,

    /// How long a call may take: here what is left of the scrape's deadline.
    #[arg(long = "exporter.timeout", value_name = "VALUE", hide = true)]
    #[arg(value_parser = OsStringValueParser::new())]
    timeout: Option<OsString>,

    /// How many domains are asked at once: here as many as libvirtd has shown to bear.
    #[arg(long = "exporter.max-concurrent-collects", value_name = "VALUE", hide = true)]
    #[arg(value_parser = OsStringValueParser::new())]
    max_concurrent_collects: Option<OsString>,
}

/// What clap calls `--libvirt.export-nova-metadata`.
pub(super) const EXPORT_NOVA_METADATA: &str = "export_nova_metadata";

impl OtherExporters {
    /// The flags that were given and change nothing, though they ask for something.
    pub(super) fn ignored(&self) -> Vec<&'static str> {
        let Self { nova, _export_nova_metadata: _, driver, timeout, max_concurrent_collects } =
            self;
        let flags = [
            // Only this asks for anything that is not done.
            (!nova, "--libvirt.nova=false"),
            (driver.is_some(), "--libvirt.driver"),
            (timeout.is_some(), "--exporter.timeout"),
            (max_concurrent_collects.is_some(), "--exporter.max-concurrent-collects"),
        ];
        flags.into_iter().filter_map(|(is_ignored, flag)| is_ignored.then_some(flag)).collect()
    }
}
