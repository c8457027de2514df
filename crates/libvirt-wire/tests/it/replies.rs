//! The replies below `testdata/replies`, each `PROCEDURE-what-it-shows.bin`.
//! `testdata/record` made them.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use libvirt_wire::{
    Call, DecodeError, Domain, Event, EventKind, RemoteError, TypedParam,
    call::{
        AllDomainStats, AuthList, CellsFreeMemory, ConnectGetAllDomainStats, ConnectGetHostname,
        ConnectGetLibVersion, ConnectGetVersion, ConnectListAllDomains, ConnectListAllStoragePools,
        ConnectSupportsFeature, ControlInfo, CpuStats, DomainGetControlInfo, DomainGetCpuStats,
        DomainGetInfo, DomainGetJobStats, DomainGetMetadata, DomainGetVcpus, DomainGetXmlDesc,
        DomainInfo, DomainStatsRecord, Domains, JobStats, NodeGetCellsFreeMemory, NodeGetCpuStats,
        NodeGetFreeMemory, NodeGetInfo, NodeGetMemoryStats, NodeInfo, NodeStats, StoragePool,
        StoragePoolGetInfo, StoragePoolInfo, StoragePools, Vcpu, Vcpus,
    },
    xdr::{Decode, Reader},
};

pub(crate) fn all() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/replies");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let replies: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "bin")).collect();
    assert!(replies.len() > 20, "only {} replies", replies.len());
    replies
}

/// Decodes a reply as what its file's name says it is, into text that leaves
/// nothing out: a field left out here is a field untested.
pub(crate) fn dump(path: &Path, payload: &[u8]) -> Result<String, DecodeError> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (procedure, _) = name.split_once('-').unwrap();
    Ok(match procedure {
        "4" => format!("{}\n", ConnectGetVersion::decode(payload)?),
        "6" => node(&NodeGetInfo::decode(payload)?),
        "14" => DomainGetXmlDesc::decode(payload)?,
        "16" => {
            let DomainInfo { state, cpu_time } = DomainGetInfo::decode(payload)?;
            format!("state={state} cpu_time={cpu_time:?}\n")
        }
        "20" => vcpus(&DomainGetVcpus::decode(payload)?),
        "59" => ConnectGetHostname::decode(payload)? + "\n",
        "60" => format!("{}\n", ConnectSupportsFeature::decode(payload)?),
        "66" => format!("{:?}\n", AuthList::decode(payload)?),
        "87" => {
            let StoragePoolInfo { state, capacity, allocation, available } =
                StoragePoolGetInfo::decode(payload)?;
            format!(
                "state={state} capacity={capacity} allocation={allocation} available={available}\n"
            )
        }
        "101" => {
            let CellsFreeMemory(cells) = NodeGetCellsFreeMemory::decode(payload)?;
            format!("{cells:?}\n")
        }
        "102" => format!("{}\n", NodeGetFreeMemory::decode(payload)?),
        "157" => format!("{}\n", ConnectGetLibVersion::decode(payload)?),
        "227" => node_stats(&NodeGetCpuStats::decode(payload)?),
        "228" => node_stats(&NodeGetMemoryStats::decode(payload)?),
        "229" => {
            let ControlInfo { state, since } = DomainGetControlInfo::decode(payload)?;
            format!("state={state:?} since={since:?}\n")
        }
        "262" => {
            let stats = DomainGetCpuStats::decode(payload)?;
            let CpuStats { cpu_time, user_time, system_time } = stats;
            format!("cpu={cpu_time:?} user={user_time:?} system={system_time:?}\n")
        }
        "265" => DomainGetMetadata::decode(payload)?,
        "273" => {
            let Domains(domains) = ConnectListAllDomains::decode(payload)?;
            domains.iter().map(domain).collect()
        }
        "281" => {
            let StoragePools(pools) = ConnectListAllStoragePools::decode(payload)?;
            let line = |StoragePool { name, uuid }: &StoragePool| format!("{name} {uuid}\n");
            let lines: String = pools.iter().map(line).collect();
            format!("{} pools\n{lines}", pools.len())
        }
        "298" => {
            let JobStats { job_type, params: of } = DomainGetJobStats::decode(payload)?;
            format!("type={job_type}\n{}", params(&of))
        }
        "344" => stats(&ConnectGetAllDomainStats::decode(payload)?),
        "318" | "319" | "321" | "324" | "333" | "354" | "359" | "363" | "367" | "379" => {
            let event = Event::decode(procedure.parse().unwrap(), payload)?;
            let Event { domain: of, kind } = event.unwrap();
            match kind {
                EventKind::JobCompleted { params: of_job } => {
                    format!("{}JobCompleted\n{}", domain(&of), params(&of_job))
                }
                kind => format!("{}{kind:?}\n", domain(&of)),
            }
        }
        "error" => format!("{}\n", RemoteError::decode(&mut Reader::new(payload))?),
        _ => panic!("no procedure {procedure}"),
    })
}

fn domain(Domain { name, uuid, id }: &Domain) -> String {
    format!("{name} {uuid} id={id:?}\n")
}

fn node(info: &NodeInfo) -> String {
    let NodeInfo { model, memory_kib, cpus, mhz, nodes, sockets, cores, threads } = info;
    format!(
        "model={model} memory_kib={memory_kib} cpus={cpus} mhz={mhz} nodes={nodes} \
         sockets={sockets} cores={cores} threads={threads}\n"
    )
}

fn vcpus(Vcpus(vcpus): &Vcpus) -> String {
    let line = |Vcpu { number, state, cpu_time, cpu }: &Vcpu| {
        format!("number={number} state={state} cpu_time={cpu_time:?} cpu={cpu:?}\n")
    };
    vcpus.iter().map(line).collect()
}

fn node_stats(NodeStats { fields, count }: &NodeStats<'_>) -> String {
    let mut text = format!("count={count}\n");
    for (field, value) in fields {
        writeln!(text, "  {field} = {value}").unwrap();
    }
    text
}

fn stats(AllDomainStats { records }: &AllDomainStats<'_>) -> String {
    let mut text = format!("{} domains\n", records.len());
    for DomainStatsRecord { domain: of, params: numbers } in records {
        text.push_str(&domain(of));
        text.push_str(&params(numbers));
    }
    text
}

fn params(params: &[TypedParam<'_>]) -> String {
    let mut text = String::new();
    for TypedParam { field, value } in params {
        writeln!(text, "  {field} = {value:?}").unwrap();
    }
    text
}
