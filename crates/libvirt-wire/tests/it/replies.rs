//! The replies below `testdata/replies`, each `PROCEDURE-what-it-shows.bin`.
//! `testdata/record` made them.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use libvirt_wire::{
    Call, DecodeError, Domain, Event, RemoteError, TypedParam,
    call::{
        AllDomainStats, AuthList, ConnectGetAllDomainStats, ConnectGetHostname,
        ConnectListAllDomains, ConnectSupportsFeature, ControlInfo, CpuStats, DomainGetControlInfo,
        DomainGetCpuStats, DomainGetInfo, DomainGetMetadata, DomainGetXmlDesc, DomainInfo,
        DomainStatsRecord, Domains,
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
        "14" => DomainGetXmlDesc::decode(payload)?,
        "16" => {
            let DomainInfo { state, cpu_time } = DomainGetInfo::decode(payload)?;
            format!("state={state} cpu_time={cpu_time:?}\n")
        }
        "59" => ConnectGetHostname::decode(payload)? + "\n",
        "60" => format!("{}\n", ConnectSupportsFeature::decode(payload)?),
        "66" => format!("{:?}\n", AuthList::decode(payload)?),
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
        "344" => stats(&ConnectGetAllDomainStats::decode(payload)?),
        "318" | "333" | "354" | "379" => {
            let event = Event::decode(procedure.parse().unwrap(), payload)?;
            let Event { domain: of, kind } = event.unwrap();
            format!("{}{kind:?}\n", domain(&of))
        }
        "error" => format!("{}\n", RemoteError::decode(&mut Reader::new(payload))?),
        _ => panic!("no procedure {procedure}"),
    })
}

fn domain(Domain { name, uuid, id }: &Domain) -> String {
    format!("{name} {uuid} id={id:?}\n")
}

fn stats(AllDomainStats { records }: &AllDomainStats<'_>) -> String {
    let mut text = format!("{} domains\n", records.len());
    for DomainStatsRecord { domain: of, params } in records {
        text.push_str(&domain(of));
        for TypedParam { field, value } in params {
            writeln!(text, "  {field} = {value:?}").unwrap();
        }
    }
    text
}
