//! State, CPU time, memory, vCPUs: the groups that every domain has one of.

use libvirt_wire::Value;

use super::Record;

impl Record<'_> {
    pub(super) fn state(&mut self) {
        let (state, reason) = self.instance.state.numbers();
        self.push("state.state", Value::Int(state));
        self.push("state.reason", Value::Int(reason));
    }

    pub(super) fn cpu_total(&mut self) {
        if !self.instance.is_active() {
            return;
        }
        let (counters, vcpus) = (self.counters, self.instance.flavor.vcpus);
        self.count("cpu.time", counters.cpu_time(vcpus));
        self.count("cpu.user", counters.user_time(vcpus));
        self.count("cpu.system", counters.system_time(vcpus));
        self.push("cpu.cache.monitor.count", Value::UInt(0));
        if self.monitor {
            self.count("cpu.haltpoll.success.time", 0);
            self.count("cpu.haltpoll.fail.time", 0);
        }
    }

    pub(super) fn balloon(&mut self) {
        let size = self.instance.flavor.memory_kib();
        self.count("balloon.current", size);
        self.count("balloon.maximum", size);
        if !self.monitor {
            return;
        }
        let counters = self.counters;
        if self.instance.balloon_driver {
            // The rest is the guest's kernel's own.
            let available = (size / 16).saturating_mul(15);
            let usable = counters.usable_kib(available);
            let (major, minor) = counters.faults();
            self.count("balloon.swap_in", 0);
            self.count("balloon.swap_out", 0);
            self.count("balloon.major_fault", major);
            self.count("balloon.minor_fault", minor);
            self.count("balloon.unused", usable / 2);
            self.count("balloon.available", available);
            self.count("balloon.usable", usable);
            let clock = &self.state.clock;
            let told = clock.unix(self.instance.balloon_update(self.now));
            self.count("balloon.last-update", told.as_secs());
            self.count("balloon.disk_caches", usable / 4);
            self.count("balloon.hugetlb_pgalloc", 0);
            self.count("balloon.hugetlb_pgfail", 0);
        } else {
            self.count("balloon.last-update", 0);
        }
        self.count("balloon.rss", size / 2);
    }

    pub(super) fn vcpus(&mut self) {
        let vcpus = self.instance.flavor.vcpus;
        self.push("vcpu.current", Value::UInt(vcpus));
        self.push("vcpu.maximum", Value::UInt(vcpus));
        if !self.instance.is_active() {
            return;
        }
        let counters = self.counters;
        for vcpu in 0..vcpus {
            self.push(format!("vcpu.{vcpu}.state"), Value::Int(VCPU_RUNNING));
            self.count(format!("vcpu.{vcpu}.time"), counters.vcpu_time());
            self.count(format!("vcpu.{vcpu}.wait"), 0);
            self.count(format!("vcpu.{vcpu}.delay"), counters.vcpu_delay());
        }
    }

    pub(super) fn dirty_rate(&mut self) {
        if self.monitor {
            self.push("dirtyrate.calc_status", Value::Int(0));
            self.push("dirtyrate.calc_start_time", Value::LLong(0));
            self.push("dirtyrate.calc_period", Value::Int(0));
            self.push("dirtyrate.calc_mode", Value::String("page-sampling".into()));
        }
    }
}

/// `VIR_VCPU_RUNNING`, which is also what libvirt says of a paused domain's.
const VCPU_RUNNING: i32 = 1;
