//! Whether QEMU answers, as far as somebody waits for it: control info.
//!
//! libvirt tells it without asking QEMU, so a stuck guest cannot hide.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{Calls, WINDOW};
use libvirt_wire::{
    Call, Domain, Procedure, Uuid,
    call::{ControlInfo, ControlState, DomainGetControlInfo},
};
use tokio::time::{self, Instant};

use crate::{care::Care, inventory::Roster, trouble::Troubles};

/// The control info of one round, by domain. Who did not answer is not in it.
pub(crate) type ControlInfos = HashMap<Uuid, ControlInfo>;

/// Who asks for control info, and tells of guests that are stuck.
#[derive(Debug)]
pub(crate) struct Controls {
    calls: Calls,
    care: Care,
    troubles: Arc<Troubles>,
}

impl Controls {
    pub(crate) fn new(calls: Calls, care: Care, troubles: Arc<Troubles>) -> Self {
        Self { calls, care, troubles }
    }

    /// Asks for the control info of `domains`; at `until` it ends with what it has.
    pub(crate) async fn round<'d>(
        &self,
        domains: impl Iterator<Item = &'d Domain>,
        until: Instant,
    ) -> ControlInfos {
        let (hung, others): (Vec<_>, Vec<_>) = domains
            .filter(|domain| !self.care.is_held(domain))
            .partition(|domain| self.care.is_hung(domain));
        // Where the time is too short for all, it is for those that matter most.
        let mut waiting = hung.into_iter().chain(others);
        let mut asked: FuturesUnordered<_> =
            waiting.by_ref().take(WINDOW).map(|domain| self.control_info(domain)).collect();
        let mut infos = ControlInfos::new();
        while let Ok(Some(info)) = time::timeout_at(until, asked.next()).await {
            infos.extend(info);
            asked.extend(waiting.next().map(|domain| self.control_info(domain)));
        }
        infos
    }

    async fn control_info(&self, domain: &Domain) -> Option<(Uuid, ControlInfo)> {
        let _place = self.care.place().await?;
        let called = self.calls.call(&DomainGetControlInfo { domain }, CALL_DEADLINE).await;
        match called.and_then(|reply| reply.decode()) {
            Ok(info) => {
                self.troubles.clear(domain.uuid, PROCEDURE);
                self.care.note(domain, info);
                self.tell(domain, info);
                Some((domain.uuid, info))
            }
            Err(error) => {
                self.troubles.note(domain, &error);
                None
            }
        }
    }

    /// Logs that a guest is stuck, or is stuck no more.
    fn tell(&self, domain: &Domain, info: ControlInfo) {
        match info.state {
            Some(ControlState::Occupied) if info.since < STUCK => {}
            Some(ControlState::Occupied) => {
                self.troubles.tell_stuck(domain, info.since);
            }
            // In error is also who is being ended.
            Some(ControlState::Error) | None => {}
            Some(ControlState::Ok | ControlState::Job) => {
                self.troubles.clear_stuck(domain);
            }
        }
    }

    /// Forgets the domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        self.care.keep(roster);
    }
}

const PROCEDURE: Procedure = <DomainGetControlInfo<'_> as Call>::PROCEDURE;
/// How long a call that needs no monitor may take; it takes half a millisecond.
const CALL_DEADLINE: Duration = Duration::from_secs(1);
/// How long QEMU may leave libvirt waiting before the log says so. A healthy one takes
/// some milliseconds, one on a busy host some tenths of a second.
pub(crate) const STUCK: Duration = Duration::from_secs(5);
