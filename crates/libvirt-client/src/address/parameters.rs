//! What a URI's query asks of the client, and what is left of it for the driver.

use std::path::PathBuf;

use fluent_uri::pct_enc::{EStr, encoder::Query};

use super::{Mode, error::AddressErrorKind, transport::KnownHosts};

/// The parameters that libvirt's own client takes out of a URI (`doRemoteOpen`), whichever
/// transport they are for.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// `name=`: the driver's URI.
    pub(super) name: Option<String>,
    pub(super) mode: Mode,
    /// `socket=`
    pub(super) socket: Option<PathBuf>,
    /// `authfile=`
    pub(super) auth_file: Option<PathBuf>,
    /// `pkipath=`
    pub(super) pkipath: Option<PathBuf>,
    /// `no_verify=1`
    pub(super) no_verify: bool,
    /// Whether there is a `tls_priority=`.
    pub(super) tls_priority: bool,
    /// `netcat=`
    pub(super) netcat: Option<String>,
    /// `proxy=`
    pub(super) proxy: Option<Proxy>,
    /// `command=`
    pub(super) command: Option<PathBuf>,
    /// `keyfile=`
    pub(super) keyfile: Option<PathBuf>,
    /// `known_hosts=`
    pub(super) known_hosts: Option<PathBuf>,
    /// `known_hosts_verify=`
    pub(super) known_hosts_verify: Option<KnownHosts>,
    /// What is the driver's own, as it was written.
    pub(super) of_driver: Vec<String>,
}

/// `proxy=`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Auto,
    Native,
    Netcat,
}

impl Parameters {
    pub(super) fn read(query: Option<&EStr<Query>>) -> Result<Self, AddressErrorKind> {
        let mut parameters = Self::default();
        for parameter in query.iter().flat_map(|query| parameters_of(query)) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, EStr::EMPTY));
            let value = value.decode().to_string();
            let value = value.map_err(|_| AddressErrorKind::Malformed)?.into_owned();
            if !parameters.set(key.as_str(), value)? {
                parameters.of_driver.push(parameter.as_str().to_owned());
            }
        }
        Ok(parameters)
    }

    /// Takes a parameter, unless it is not the client's. Case does not count in its name.
    fn set(&mut self, key: &str, value: String) -> Result<bool, AddressErrorKind> {
        match &*key.to_ascii_lowercase() {
            "name" => self.name = Some(value),
            "mode" => {
                self.mode = match &*value {
                    "auto" => Mode::Auto,
                    "legacy" => Mode::Legacy,
                    "direct" => Mode::Direct,
                    _ => return Err(AddressErrorKind::Word("mode=", "auto, legacy or direct")),
                }
            }
            "socket" => self.socket = Some(absolute("socket=", value)?),
            "authfile" => self.auth_file = Some(absolute("authfile=", value)?),
            "pkipath" => self.pkipath = Some(absolute("pkipath=", value)?),
            "no_verify" => self.no_verify = number("no_verify=", &value)?,
            "tls_priority" => self.tls_priority = true,
            "netcat" => self.netcat = Some(value),
            "proxy" => {
                self.proxy = Some(match &*value {
                    "auto" => Proxy::Auto,
                    "native" => Proxy::Native,
                    "netcat" => Proxy::Netcat,
                    _ => return Err(AddressErrorKind::Word("proxy=", "auto, native or netcat")),
                });
            }
            "command" if !value.is_empty() => self.command = Some(value.into()),
            "keyfile" => self.keyfile = Some(absolute("keyfile=", value)?),
            "known_hosts" => self.known_hosts = Some(absolute("known_hosts=", value)?),
            "known_hosts_verify" => {
                self.known_hosts_verify = Some(match &*value {
                    "normal" => KnownHosts::Normal,
                    "auto" => KnownHosts::Auto,
                    "ignore" => KnownHosts::Ignore,
                    _ => {
                        let words = "normal, auto or ignore";
                        return Err(AddressErrorKind::Word("known_hosts_verify=", words));
                    }
                });
            }
            // There never is a terminal here; how to authenticate is for ssh's own configuration.
            "command" | "no_tty" | "no_sanity" | "sshauth" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The parameters of a query; libvirt takes both signs between them (`virURIParseParams`).
fn parameters_of(query: &EStr<Query>) -> impl Iterator<Item = &EStr<Query>> {
    query.split('&').flat_map(|some| some.split(';'))
}

/// A path that does not depend on the working directory.
fn absolute(parameter: &'static str, value: String) -> Result<PathBuf, AddressErrorKind> {
    let path = PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err(AddressErrorKind::Relative(parameter)) }
}

/// libvirt's booleans are numbers.
fn number(parameter: &'static str, value: &str) -> Result<bool, AddressErrorKind> {
    match value.parse::<u32>() {
        Ok(number) => Ok(number != 0),
        Err(_) => Err(AddressErrorKind::Word(parameter, "0 or 1")),
    }
}
