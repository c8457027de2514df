//! What a domain is being put through: `virDomainGetJobStats`.

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    typed_param::TypedParam,
    xdr::{Decode, Reader, Writer},
};

/// Asks how far a domain's job is: a migration, a save, a dump, a backup.
///
/// Refused with `VIR_ERR_OPERATION_INVALID` where the domain does not run.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetJobStats<'d> {
    /// Whose job is asked about.
    pub domain: &'d Domain,
    /// Whether the job that has ended last is meant, not the one that runs. There is
    /// none from the moment when another one begins.
    ///
    /// It is read without being erased, which libvirt can do since 6.0; an older one
    /// refuses the call.
    pub completed: bool,
}

impl Call for DomainGetJobStats<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_JOB_STATS;
    type Reply<'a> = JobStats<'a>;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    /// A running job is asked of QEMU, and without one the domain's job is still waited
    /// for; what an ended one came to, libvirtd remembers.
    fn needs_monitor(&self) -> bool {
        !self.completed
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.u32(if self.completed { JOB_STATS_COMPLETED | JOB_STATS_KEEP } else { 0 });
    }
}

/// `VIR_DOMAIN_JOB_STATS_COMPLETED`
const JOB_STATS_COMPLETED: u32 = 1;
/// `VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED`: without it, reading erases the job for every
/// other reader.
const JOB_STATS_KEEP: u32 = 1 << 1;

/// A job in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct JobStats<'a> {
    /// `virDomainJobType`: 0 none, 1 with a known end, 2 without one, 3 completed,
    /// 4 failed, 5 cancelled.
    pub job_type: i32,
    /// The numbers, by the kind of job; none where there is no job.
    pub params: Vec<TypedParam<'a>>,
}

impl<'a> Decode<'a> for JobStats<'a> {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            job_type: reader.i32("job type")?,
            params: reader.list("job stats", JOB_STATS_MAX)?,
        })
    }
}

/// `REMOTE_DOMAIN_JOB_STATS_MAX`
pub(crate) const JOB_STATS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completed_job_is_kept_for_others_and_needs_no_monitor() {
        let domain = &Domain { name: String::new(), uuid: Uuid([0; 16]), id: None };
        for (completed, flags) in [(false, 0), (true, 3)] {
            let call = DomainGetJobStats { domain, completed };
            assert_eq!(call.arguments().last(), Some(&flags));
            assert_eq!(call.needs_monitor(), !completed);
        }
    }
}
