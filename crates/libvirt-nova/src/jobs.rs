//! Jobs that run in domains: `virDomainGetJobStats`.
//!
//! The call takes the domain's job, and its monitor where a job runs. So only those are
//! asked whose QEMU has just answered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{CallError, Calls};
use libvirt_wire::{Domain, RemoteError, Uuid, call::DomainGetJobStats};
use tokio::time::{self, Instant};

use crate::{care::Care, stats::Job, trouble::Troubles};

/// The job of each domain that was asked; one of kind 0 where none runs.
pub(crate) type JobsByDomain = HashMap<Uuid, Box<Job>>;

/// Who asks for jobs.
#[derive(Debug)]
pub(crate) struct Jobs {
    calls: Calls,
    care: Care,
    troubles: Arc<Troubles>,
}

impl Jobs {
    /// `calls` is the connection for calls that may hang.
    pub(crate) fn new(calls: Calls, care: Care, troubles: Arc<Troubles>) -> Self {
        Self { calls, care, troubles }
    }

    /// Asks for the jobs of `domains`; at `until` it ends with what it has.
    pub(crate) async fn round(&self, domains: Vec<&Domain>, until: Instant) -> JobsByDomain {
        let window = self.care.window();
        if window == 0 {
            return JobsByDomain::new();
        }
        let mut waiting = domains.into_iter();
        let mut asked: FuturesUnordered<_> =
            waiting.by_ref().take(window).map(|domain| self.job(domain)).collect();
        let mut jobs = JobsByDomain::new();
        while let Ok(Some(job)) = time::timeout_at(until, asked.next()).await {
            jobs.extend(job);
            asked.extend(waiting.next().map(|domain| self.job(domain)));
        }
        jobs
    }

    async fn job(&self, domain: &Domain) -> Option<(Uuid, Box<Job>)> {
        // Somebody has begun to hang in it, or in as many as may be. It has just answered, so a
        // call that hangs in one of several does not do so in this one.
        let is_hung = self.care.is_hung_alone(domain) || self.care.is_held(domain);
        if self.care.window() == 0 || is_hung {
            return None;
        }
        let call = DomainGetJobStats { domain, completed: false };
        let called = self.calls.call(&call, CALL_DEADLINE).await;
        match called.as_ref().map(|reply| reply.decode()) {
            Ok(Ok(stats)) => {
                let job = Job::new(Some(stats.job_type), &stats.params);
                Some((domain.uuid, Box::new(job)))
            }
            Ok(Err(error)) => self.note(domain, &error),
            Err(error) => self.note(domain, error),
        }
    }

    /// The destination of a migration has no job to tell of, and some drivers know none.
    fn note(&self, domain: &Domain, error: &CallError) -> Option<(Uuid, Box<Job>)> {
        let is_ordinary =
            |refusal: &RemoteError| refusal.is_operation_invalid() || refusal.is_no_support();
        if !error.refusal().is_some_and(is_ordinary) {
            self.troubles.note(domain, error);
        }
        None
    }
}

/// How long a call may take: it waits for the domain's job where another call has it.
const CALL_DEADLINE: Duration = Duration::from_millis(500);
