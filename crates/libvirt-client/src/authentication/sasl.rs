//! A user and a password, by SASL (RFC 4422).
//!
//! SCRAM proves to both sides that the other one knows the password, and says it to nobody. PLAIN
//! says it, so it is for TLS alone, with a server that has shown who it is. Neither has a security layer; nobody needs one beside TLS, and
//! libvirtd wants one on bare TCP.

use std::{sync::Arc, time::Duration};

use libvirt_wire::call::{AuthSaslInit, AuthSaslStart, AuthSaslStep, SaslReply};
use rsasl::prelude::{Mechname, MessageSent, SASLClient, SASLConfig, Session, State};

use crate::{
    Access, CallError, address::Transport, client::Client, credentials::Login, error::ConnectKind,
};

/// What this client has, the best first; and what tells the other side the password.
const MECHANISMS: [&str; 3] = ["SCRAM-SHA-512", "SCRAM-SHA-256", PLAIN];
const PLAIN: &str = "PLAIN";

pub(super) async fn authenticate(
    client: &Client,
    access: &Access,
    deadline: Duration,
) -> Result<(), ConnectKind> {
    let offered = match client.call(&AuthSaslInit, deadline).await {
        Ok(reply) => reply.decode().map_err(ConnectKind::Handshake)?,
        // It has listed SASL itself, so it is the list that is empty.
        Err(error) if error.refusal().is_some() => return Err(ConnectKind::NoMechanism(error)),
        Err(error) => return Err(ConnectKind::Handshake(error)),
    };
    let is_offered = |name: &&str| offered.split([',', ' ']).any(|offered| offered == *name);
    let (is_tls, is_verified) = match access.address.transport() {
        Transport::Tls(tls) => (true, tls.verifies),
        _ => (false, false),
    };
    let is_allowed = |name: &&str| is_verified || *name != PLAIN;
    let Some(mechanism) = MECHANISMS.into_iter().filter(is_offered).find(is_allowed) else {
        let told = offered.chars().take(OFFERED_MAX).collect();
        return Err(match is_tls && is_offered(&PLAIN) {
            true => ConnectKind::PlainToAnybody { offered: told },
            false => ConnectKind::Mechanisms { offered: told },
        });
    };
    let Login { user, password } = access.credentials.find(&access.address)?;
    let exchange = Exchange { client, mechanism, user: &user, deadline };
    exchange.run(password).await
}

/// A conversation between a mechanism and libvirtd.
struct Exchange<'c> {
    client: &'c Client,
    mechanism: &'static str,
    user: &'c str,
    deadline: Duration,
}

impl Exchange<'_> {
    async fn run(&self, password: String) -> Result<(), ConnectKind> {
        let user = self.user.to_owned();
        let config = SASLConfig::with_credentials(None, user, password);
        let config = config.map_err(|error| self.failed(error))?;
        let name =
            Mechname::parse(self.mechanism.as_bytes()).map_err(|error| self.failed(error))?;
        let session = SASLClient::new(Arc::clone(&config)).start_suggested(&[name]);
        let mut session = session.map_err(|error| self.failed(error))?;

        let (mut is_done, first) = self.step(&mut session, None)?;
        let start = AuthSaslStart { mechanism: self.mechanism, data: first.as_deref() };
        let started = self.client.call(&start, self.deadline).await;
        let mut reply =
            started.and_then(|reply| reply.decode()).map_err(|error| self.denied(error))?;
        // A mechanism has a few steps; whoever goes on for ever is none.
        for _ in 0..STEPS_MAX {
            let SaslReply { is_complete, data } = reply;
            let data = data.unwrap_or_default();
            let mut said = None;
            // What libvirtd says last may be the proof that it knows the password, too.
            if !(is_done || is_complete && data.is_empty()) {
                (is_done, said) = self.step(&mut session, Some(&data))?;
            }
            if is_complete {
                return match is_done {
                    true => Ok(()),
                    false => Err(self.failed("libvirtd ended it before it showed who it is")),
                };
            }
            let step = AuthSaslStep { data: said.as_deref() };
            let stepped = self.client.call(&step, self.deadline).await;
            reply = stepped.and_then(|reply| reply.decode()).map_err(|error| self.denied(error))?;
        }
        Err(self.failed("libvirtd does not come to an end"))
    }

    /// Lets the mechanism take what libvirtd said. Returns whether it is done, and what it says
    /// next.
    fn step(
        &self,
        session: &mut Session,
        said: Option<&[u8]>,
    ) -> Result<(bool, Option<Vec<u8>>), ConnectKind> {
        if let Some(iterations) = said.and_then(iterations).filter(|count| *count > ITERATIONS_MAX)
        {
            return Err(self.failed(format!(
                "libvirtd asks for {iterations} iterations, expected at most {ITERATIONS_MAX}"
            )));
        }
        let mut next = Vec::new();
        let state = session.step(said, &mut next).map_err(|error| self.failed(error))?;
        Ok(match state {
            State::Running => (false, Some(next)),
            State::Finished(sent) => {
                let is_sent = sent == MessageSent::Yes;
                (true, is_sent.then_some(next))
            }
        })
    }

    fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectKind {
        ConnectKind::Sasl { mechanism: self.mechanism, error: error.into() }
    }

    fn denied(&self, error: CallError) -> ConnectKind {
        if error.refusal().is_none() {
            return ConnectKind::Handshake(error);
        }
        ConnectKind::Password { user: self.user.to_owned(), mechanism: self.mechanism, error }
    }
}

/// How often SCRAM is to hash the password, where libvirtd says so (RFC 5802, 5.1).
fn iterations(said: &[u8]) -> Option<u32> {
    let mut attributes = said.split(|byte| *byte == b',');
    let count = attributes.find_map(|attribute| attribute.strip_prefix(b"i="))?;
    std::str::from_utf8(count).ok()?.parse().ok()
}

/// What `libsasl2` does at most (`MAX_ITERATION_COUNTER`), some hundredths of a second in which
/// this process does nothing else. Anybody can ask for an hour, before he has shown who he is.
const ITERATIONS_MAX: u32 = 65_536;
/// How much is told of a list of mechanisms, in characters.
const OFFERED_MAX: usize = 200;
/// Messages that a mechanism has at most: SCRAM has two of the client's.
const STEPS_MAX: usize = 8;
