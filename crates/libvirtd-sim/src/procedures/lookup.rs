//! From a domain's name, id or UUID to the domain.

use std::rc::Rc;

use libvirt_wire::xdr::Writer;

use crate::{
    arguments::Arguments,
    host::Host,
    instance::Instance,
    job,
    refusal::{Outcome, Refusal},
};

/// 22
pub(super) async fn by_id(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let id = arguments.i32()?;
    let wanted = u32::try_from(id).ok();
    let is_it = |it: &Instance| it.domain.id.is_some() && it.domain.id == wanted;
    find(host, is_it, format!("no domain with matching id {id}")).await
}

/// 23
pub(super) async fn by_name(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let name = arguments.string()?;
    let missing = format!("no domain with matching name '{name}'");
    find(host, |it| it.domain.name == name, missing).await
}

/// 24
pub(super) async fn by_uuid(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let uuid = arguments.uuid()?;
    let missing = format!("no domain with matching uuid '{uuid}'");
    find(host, |it| it.domain.uuid == uuid, missing).await
}

async fn find(host: &Rc<Host>, is_it: impl Fn(&Instance) -> bool, missing: String) -> Outcome {
    let number = host.state().instances.values().find(|it| is_it(it)).map(|it| it.number);
    let Some(number) = number else { return Err(Refusal::not_found(missing)) };
    job::lock(host, number).await;
    let mut writer = Writer::default();
    let found = host.with(number, |instance| instance.domain.encode(&mut writer));
    found.map(|()| writer.into_bytes()).ok_or_else(|| Refusal::not_found(missing))
}
