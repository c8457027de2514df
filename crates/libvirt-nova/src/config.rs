//! Files that configure: YAML read strictly, what is wrong with it, and whether it has changed.
//!
//! * `yaml`, `section`: a document, with no key that is unknown and none twice
//! * `files`: what is on the disk, and whether it is what it was
//! * `fault`, `error`: what is wrong, and that the program cannot start with it

pub(crate) use self::{
    error::ConfigError,
    fault::Fault,
    files::{Stamp, read, read_text},
    section::{Section, Text},
    yaml::read as read_yaml,
};

mod error;
mod fault;
mod files;
mod section;
mod yaml;
