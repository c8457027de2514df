//! `--web.config.file`: Prometheus' web configuration, as the exporters in Go read it.
//!
//! * `settings`, `tls`, `names`: what it says
//! * `clients`, `subject_names`: which client certificates are let in
//!
//! [`WebConfig`] is what is in force: each request and each handshake looks at the files, and reads
//! those that have changed.
//! What turns out to be wrong then is told once, and refuses whoever comes until it is right again.

use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rustls::{ServerConfig, sign::CertifiedKey};
use tokio::time::Instant;

use self::{settings::Settings, tls::TlsSettings};
use crate::config::{self, ConfigError, Fault, Stamp};

mod clients;
mod names;
mod settings;
mod subject_names;
mod tls;

/// The web configuration that is in force.
#[derive(Debug)]
pub(crate) struct WebConfig {
    path: PathBuf,
    /// What was there at the start; whether to encrypt, and how many requests to take, is not
    /// changed later.
    began: Rc<Settings>,
    settings: RefCell<Cached<Rc<Settings>>>,
    /// What has been asked since it was last right.
    asked: Cell<Asked>,
    /// `None` without TLS.
    tls: Option<RefCell<Tls>>,
}

/// What was read, and what the files were like then.
#[derive(Debug)]
struct Cached<T> {
    stamps: Vec<Stamp>,
    read: Result<T, Fault>,
}

/// What handshakes are made with.
#[derive(Debug)]
struct Tls {
    config: Cached<Arc<ServerConfig>>,
    /// What it was made of.
    settings: Rc<Settings>,
    /// The last pair that was good.
    pair: Arc<CertifiedKey>,
    /// Since when there is no good one on the disk.
    missed: Option<Instant>,
}

/// How long the last good pair serves where the one on the disk is not right.
///
/// Certificate and key are two files, and whoever replaces them does so one after the other.
/// Until both are there, the old ones are as good as they were.
const REPLACING: Duration = Duration::from_secs(10);

impl WebConfig {
    /// Reads everything, and tells what is accepted but not done.
    ///
    /// # Errors
    ///
    /// When anything is wrong: the program was told to serve so, and must not start otherwise.
    pub(crate) fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::begin(path)
            .map_err(|fault| ConfigError::new("the web configuration", path.to_owned(), fault))
    }

    fn begin(path: &Path) -> Result<Self, Fault> {
        let stamps = vec![Stamp::of(path)];
        let settings = Rc::new(read(path)?);
        for warning in &settings.warnings {
            tracing::warn!("web configuration: {warning}");
        }
        let tls = match &settings.tls {
            Some(tls) => Some(RefCell::new(Tls::load(tls, &settings)?)),
            None => None,
        };
        tracing::info!(
            file = %path.display(),
            tls = tls.is_some(),
            basic_auth = !settings.users.is_empty(),
            "web configuration is in force"
        );
        let cached = Cached { stamps, read: Ok(Rc::clone(&settings)) };
        let asked = Cell::new(Asked::by(&settings));
        let cached = RefCell::new(cached);
        Ok(Self { path: path.to_owned(), began: settings, settings: cached, asked, tls })
    }

    /// Whether connections are encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// How many requests there may be: an interval, 0 for any number, and a burst.
    pub(crate) fn rate_limit(&self) -> (Duration, u32) {
        self.began.rate_limit
    }

    /// What is in force for a request.
    ///
    /// # Errors
    ///
    /// When the file is not right at present, which has been logged.
    pub(crate) fn settings(&self) -> Result<Rc<Settings>, Fault> {
        let stamps = vec![Stamp::of(&self.path)];
        let mut cached = self.settings.borrow_mut();
        if !cached.is_current(&stamps) {
            let read = read(&self.path).and_then(|settings| self.not_weakened(settings));
            cached.renew(stamps, read.map(Rc::new), "web configuration");
            if !self.is_tls() && cached.read.as_ref().is_ok_and(|it| it.tls.is_some()) {
                tracing::warn!("web configuration: it takes a restart to turn TLS on");
            }
        }
        cached.read.clone()
    }

    /// What is in force for a handshake.
    ///
    /// # Errors
    ///
    /// When the file, or one that it names, is not right at present, which has been logged.
    pub(crate) fn tls(&self) -> Result<Arc<ServerConfig>, Fault> {
        let settings = self.settings()?;
        match &self.tls {
            Some(tls) => tls.borrow_mut().current(&settings),
            None => Err(Fault::new("TLS is not turned on")),
        }
    }

    /// A file that is being written is cut short for a moment, and would let everybody in. So
    /// whoever has to say who he is, by a password or a certificate, has to until a restart.
    fn not_weakened(&self, settings: Settings) -> Result<Settings, Fault> {
        if settings.is_empty && !self.began.is_empty {
            return Err(Fault::new("is empty, expected what it held"));
        }
        let (before, now) = (self.asked.get(), Asked::by(&settings));
        for (is_lost, key) in [
            (before.passwords && !now.passwords, "basic_auth_users"),
            (before.certificates && !now.certificates, "client_auth_type"),
        ] {
            if is_lost {
                let what = format!("has no {key} any more, expected it until a restart");
                return Err(Fault::new(what));
            }
        }
        self.asked.set(now);
        Ok(settings)
    }
}

/// What a peer has to say of itself.
#[derive(Clone, Copy, Debug)]
struct Asked {
    passwords: bool,
    certificates: bool,
}

impl Asked {
    fn by(settings: &Settings) -> Self {
        let certificates = settings.tls.as_ref().is_some_and(TlsSettings::asks_clients);
        Self { passwords: !settings.users.is_empty(), certificates }
    }
}

impl<T> Cached<T> {
    fn is_current(&self, stamps: &[Stamp]) -> bool {
        self.compare(stamps, Stamp::is_unchanged_since)
    }

    fn compare(&self, stamps: &[Stamp], is_same: fn(&Stamp, &Stamp) -> bool) -> bool {
        self.stamps.len() == stamps.len()
            && stamps.iter().zip(&self.stamps).all(|(now, then)| is_same(now, then))
    }

    /// Takes what was read just now, and tells what is new about it.
    fn renew(&mut self, stamps: Vec<Stamp>, read: Result<T, Fault>, what: &str) {
        match (&self.read, &read) {
            (Ok(_), Ok(_)) if self.compare(&stamps, Stamp::looks_like) => {}
            (_, Ok(_)) => tracing::info!("{what} has changed, and is in force"),
            (Err(before), Err(now)) if before == now => {}
            (_, Err(fault)) => tracing::error!(error = %fault, "{what} is wrong, nobody is let in"),
        }
        *self = Self { stamps, read };
    }
}

impl Tls {
    fn load(tls: &TlsSettings, settings: &Rc<Settings>) -> Result<Self, Fault> {
        let stamps = tls.files().map(Stamp::of).collect();
        let pair = tls.load_pair()?;
        let config = Cached { stamps, read: Ok(Arc::new(tls.config(&pair)?)) };
        Ok(Self { config, settings: Rc::clone(settings), pair, missed: None })
    }

    fn current(&mut self, settings: &Rc<Settings>) -> Result<Arc<ServerConfig>, Fault> {
        let stamps: Vec<_> =
            settings.tls.iter().flat_map(TlsSettings::files).map(Stamp::of).collect();
        let is_current = (self.missed.is_none() || self.config.read.is_err())
            && Rc::ptr_eq(&self.settings, settings)
            && self.config.is_current(&stamps);
        if !is_current {
            let config = match &settings.tls {
                Some(tls) => match tls.load_pair() {
                    Ok(pair) => {
                        self.missed = None;
                        self.pair = pair;
                        tls.config(&self.pair).map(Arc::new)
                    }
                    // Not kept: the next one looks again.
                    Err(fault) if self.is_being_replaced(&fault) => {
                        return tls.config(&self.pair).map(Arc::new);
                    }
                    Err(fault) => Err(fault),
                },
                None => Err(Fault::new("tls_server_config is gone, expected it until a restart")),
            };
            self.config.renew(stamps, config, "TLS configuration");
            self.settings = Rc::clone(settings);
        }
        self.config.read.clone()
    }

    /// Whether certificate and key have not been right for so short a time that they will be.
    fn is_being_replaced(&mut self, fault: &Fault) -> bool {
        let now = Instant::now();
        let since = *self.missed.get_or_insert_with(|| {
            let text = "TLS certificate is wrong, the one before it serves for 10 s";
            tracing::warn!(error = %fault, "{text}");
            now
        });
        now.saturating_duration_since(since) < REPLACING
    }
}

/// Reads the file alone, and none that it names.
fn read(path: &Path) -> Result<Settings, Fault> {
    let text = config::read_text(path)?;
    // Paths in it are relative to where it is.
    Settings::read(&text, path.parent().unwrap_or(Path::new("")))
}

#[cfg(test)]
mod tests;
