//! Which domains there are: `virConnectListAllDomains`.

use std::rc::Rc;

use libvirt_wire::xdr::Writer;

use crate::{
    arguments::Arguments,
    host::Host,
    instance::{Instance, State},
    job,
    refusal::Outcome,
};

/// 273: looks at each domain, so one whose lock is held holds up the list.
pub(super) async fn all_domains(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let (need_results, filter) = (arguments.i32()?, Filter(arguments.u32()?));
    let numbers: Vec<_> = host.state().instances.keys().copied().collect();
    for number in numbers {
        job::lock(host, number).await;
    }
    let state = host.state();
    let listed: Vec<_> = state.instances.values().filter(|it| filter.passes(it)).collect();
    let mut writer = Writer::default();
    if need_results == 0 {
        writer.length(0);
    } else {
        writer.length(listed.len());
        for instance in &listed {
            instance.domain.encode(&mut writer);
        }
    }
    writer.length(listed.len());
    Ok(writer.into_bytes())
}

/// `virConnectListAllDomainsFlags`: in each group the flags that are set choose,
/// and a group without any lets everybody pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter(pub(super) u32);

impl Filter {
    pub(super) fn passes(self, instance: &Instance) -> bool {
        let (active, inactive) = (1, 2);
        let (persistent, transient) = (4, 8);
        let (running, paused, shut_off, other) = (16, 32, 64, 128);
        let is_active = if instance.is_active() { active } else { inactive };
        let state = match instance.state {
            State::Booted | State::Unpaused => running,
            State::Paused | State::IoError => paused,
            State::Destroyed => shut_off,
        };
        self.chooses(active | inactive, is_active)
            && self.chooses(persistent | transient, persistent)
            && self.chooses(running | paused | shut_off | other, state)
    }

    fn chooses(self, group: u32, flag: u32) -> bool {
        self.0 & group == 0 || self.0 & flag != 0
    }
}
