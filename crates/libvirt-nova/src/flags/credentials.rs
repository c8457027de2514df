//! The flags that say who we are, for a libvirtd that asks in SASL.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};
use libvirt_client::Credentials;

/// Where the user and the password are written; each doc is the flag's text in `--help`.
///
/// There is no flag for the password itself: everybody on the host can read a command line.
#[derive(Args, Debug)]
pub(super) struct CredentialFlags {
    /// File with users and passwords for libvirtd, of the form of libvirt's
    /// auth.conf, in place of those where libvirt looks for it
    #[arg(long = "auth.file", value_name = "FILE", verbatim_doc_comment)]
    #[arg(help_heading = "libvirt", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    auth_file: Option<PathBuf>,

    /// User for a libvirtd that asks for one, in place of the URI's
    #[arg(long = "auth.username", value_name = "NAME", help_heading = "libvirt")]
    auth_username: Option<String>,

    /// File with nothing but the password for that user
    #[arg(long = "auth.password-file", value_name = "FILE")]
    #[arg(help_heading = "libvirt", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    auth_password_file: Option<PathBuf>,
}

/// What is empty was not given, as where a variable is set to nothing.
impl From<CredentialFlags> for Credentials {
    fn from(flags: CredentialFlags) -> Self {
        let CredentialFlags { auth_file, auth_username, auth_password_file } = flags;
        let given = |path: &PathBuf| !path.as_os_str().is_empty();
        Self {
            auth_file: auth_file.filter(given),
            username: auth_username.filter(|name| !name.is_empty()),
            password_file: auth_password_file.filter(given),
        }
    }
}
