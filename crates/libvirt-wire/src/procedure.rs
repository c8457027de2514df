//! The procedures that we call.
//!
//! Everything here reads. There is no procedure that changes anything, so no
//! fault of ours can.

use std::fmt;

/// A procedure of the remote program.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Procedure {
    /// The number on the wire.
    pub number: u32,
    /// libvirt's name for the function, without the leading `vir`.
    pub name: &'static str,
}

impl Procedure {
    const fn new(number: u32, name: &'static str) -> Self {
        Self { number, name }
    }

    /// `REMOTE_PROC_CONNECT_OPEN`
    pub const CONNECT_OPEN: Self = Self::new(1, "ConnectOpen");
    /// `REMOTE_PROC_CONNECT_CLOSE`
    pub const CONNECT_CLOSE: Self = Self::new(2, "ConnectClose");
    /// `REMOTE_PROC_CONNECT_GET_VERSION`
    pub const CONNECT_GET_VERSION: Self = Self::new(4, "ConnectGetVersion");
    /// `REMOTE_PROC_NODE_GET_INFO`
    pub const NODE_GET_INFO: Self = Self::new(6, "NodeGetInfo");
    /// `REMOTE_PROC_DOMAIN_GET_XML_DESC`
    pub const DOMAIN_GET_XML_DESC: Self = Self::new(14, "DomainGetXMLDesc");
    /// `REMOTE_PROC_DOMAIN_GET_INFO`
    pub const DOMAIN_GET_INFO: Self = Self::new(16, "DomainGetInfo");
    /// `REMOTE_PROC_DOMAIN_GET_VCPUS`
    pub const DOMAIN_GET_VCPUS: Self = Self::new(20, "DomainGetVcpus");
    /// `REMOTE_PROC_CONNECT_GET_HOSTNAME`
    pub const CONNECT_GET_HOSTNAME: Self = Self::new(59, "ConnectGetHostname");
    /// `REMOTE_PROC_CONNECT_SUPPORTS_FEATURE`
    pub const CONNECT_SUPPORTS_FEATURE: Self = Self::new(60, "ConnectSupportsFeature");
    /// `REMOTE_PROC_AUTH_LIST`
    pub const AUTH_LIST: Self = Self::new(66, "AuthList");
    /// `REMOTE_PROC_AUTH_SASL_INIT`
    pub const AUTH_SASL_INIT: Self = Self::new(67, "AuthSASLInit");
    /// `REMOTE_PROC_AUTH_SASL_START`
    pub const AUTH_SASL_START: Self = Self::new(68, "AuthSASLStart");
    /// `REMOTE_PROC_AUTH_SASL_STEP`
    pub const AUTH_SASL_STEP: Self = Self::new(69, "AuthSASLStep");
    /// `REMOTE_PROC_AUTH_POLKIT`
    pub const AUTH_POLKIT: Self = Self::new(70, "AuthPolkit");
    /// `REMOTE_PROC_STORAGE_POOL_GET_INFO`
    pub const STORAGE_POOL_GET_INFO: Self = Self::new(87, "StoragePoolGetInfo");
    /// `REMOTE_PROC_NODE_GET_CELLS_FREE_MEMORY`
    pub const NODE_GET_CELLS_FREE_MEMORY: Self = Self::new(101, "NodeGetCellsFreeMemory");
    /// `REMOTE_PROC_NODE_GET_FREE_MEMORY`
    pub const NODE_GET_FREE_MEMORY: Self = Self::new(102, "NodeGetFreeMemory");
    /// `REMOTE_PROC_CONNECT_GET_LIB_VERSION`
    pub const CONNECT_GET_LIB_VERSION: Self = Self::new(157, "ConnectGetLibVersion");
    /// `REMOTE_PROC_DOMAIN_GET_STATE`
    pub const DOMAIN_GET_STATE: Self = Self::new(212, "DomainGetState");
    /// `REMOTE_PROC_NODE_GET_CPU_STATS`
    pub const NODE_GET_CPU_STATS: Self = Self::new(227, "NodeGetCPUStats");
    /// `REMOTE_PROC_NODE_GET_MEMORY_STATS`
    pub const NODE_GET_MEMORY_STATS: Self = Self::new(228, "NodeGetMemoryStats");
    /// `REMOTE_PROC_DOMAIN_GET_CONTROL_INFO`
    pub const DOMAIN_GET_CONTROL_INFO: Self = Self::new(229, "DomainGetControlInfo");
    /// `REMOTE_PROC_DOMAIN_GET_CPU_STATS`
    pub const DOMAIN_GET_CPU_STATS: Self = Self::new(262, "DomainGetCPUStats");
    /// `REMOTE_PROC_DOMAIN_GET_METADATA`
    pub const DOMAIN_GET_METADATA: Self = Self::new(265, "DomainGetMetadata");
    /// `REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS`
    pub const CONNECT_LIST_ALL_DOMAINS: Self = Self::new(273, "ConnectListAllDomains");
    /// `REMOTE_PROC_CONNECT_LIST_ALL_STORAGE_POOLS`
    pub const CONNECT_LIST_ALL_STORAGE_POOLS: Self = Self::new(281, "ConnectListAllStoragePools");
    /// `REMOTE_PROC_DOMAIN_GET_JOB_STATS`
    pub const DOMAIN_GET_JOB_STATS: Self = Self::new(298, "DomainGetJobStats");
    /// `REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY`
    pub const CONNECT_DOMAIN_EVENT_REGISTER_ANY: Self =
        Self::new(316, "ConnectDomainEventRegisterAny");
    /// `REMOTE_PROC_CONNECT_GET_ALL_DOMAIN_STATS`
    pub const CONNECT_GET_ALL_DOMAIN_STATS: Self = Self::new(344, "ConnectGetAllDomainStats");
}

impl fmt::Display for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.number)
    }
}
