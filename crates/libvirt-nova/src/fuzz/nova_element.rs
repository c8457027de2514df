//! Any text as Nova's element, and any text inside it.

use super::{xml_escaped, xml_text};
use crate::inventory::Nova;

/// Reads Nova's element; then, as a tenant's text inside one.
pub fn nova_element(data: &[u8]) {
    // As a reply's string is read.
    let _ = Nova::parse(&String::from_utf8_lossy(data));

    let text = xml_text(data);
    let inside = xml_escaped(&text);
    let xml = format!(
        "<instance>\
         <name>{inside}</name>\
         <flavor name=\"{inside}\" id=\"{inside}\"/>\
         <owner>\
         <user uuid=\"{inside}\">{inside}</user>\
         <project uuid=\"{inside}\">{inside}</project>\
         </owner>\
         <root type=\"image\" uuid=\"{inside}\"/>\
         <ports><port uuid=\"{inside}\"/></ports>\
         </instance>"
    );
    let text = Some(text).filter(|text| !text.is_empty());
    let expected = Nova {
        name: text.clone(),
        flavor: text.clone(),
        flavor_id: text.clone(),
        user: text.clone(),
        user_id: text.clone(),
        project: text.clone(),
        project_id: text.clone(),
        image_id: text.clone(),
        root_type: Some("image".to_owned()),
        root_id: text.clone(),
        ports: text.into_iter().collect(),
    };
    assert_eq!(Nova::parse(&xml).ok(), Some(expected), "{xml:?}");
}
