//! What Nova wrote into a domain.

use roxmltree::Node;

use super::xml;

/// The namespaces of Nova's element, the newest first. Both may be present
/// after an upgrade; the newest is then the one that Nova keeps up to date.
pub(crate) const NAMESPACES: [&str; 2] =
    ["http://openstack.org/xmlns/libvirt/nova/1.1", "http://openstack.org/xmlns/libvirt/nova/1.0"];

/// Nova's element, in Nova's words. What a release of Nova does not write is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nova {
    /// The display name: any text that a tenant may type.
    pub(crate) name: Option<String>,
    /// The flavor's name.
    pub(crate) flavor: Option<String>,
    /// The flavor's id, since Nova 32.
    pub(crate) flavor_id: Option<String>,
    /// The owner's name when the instance was made, sometimes `N/A`.
    pub(crate) user: Option<String>,
    /// The owner's id.
    pub(crate) user_id: Option<String>,
    /// The project's name when the instance was made, sometimes `N/A`.
    pub(crate) project: Option<String>,
    /// The project's id.
    pub(crate) project_id: Option<String>,
    /// The image that the instance was made from; none where it boots from a volume.
    pub(crate) image_id: Option<String>,
    /// What the root disk was made from: `image` or `volume`.
    pub(crate) root_type: Option<String>,
    /// The id of that, as the element names it.
    pub(crate) root_id: Option<String>,
    /// The Neutron ports' ids, since Nova 23.
    pub(crate) ports: Vec<String>,
}

impl Nova {
    /// Reads the element as procedure 265 gives it: with its namespace removed.
    ///
    /// # Errors
    ///
    /// When it is not XML.
    pub(crate) fn parse(text: &str) -> Result<Self, roxmltree::Error> {
        Ok(Self::read(xml::parse(text)?.root_element()))
    }

    pub(crate) fn read(instance: Node<'_, '_>) -> Self {
        let flavor = child(instance, "flavor");
        let owner = child(instance, "owner");
        let user = owner.and_then(|owner| child(owner, "user"));
        let project = owner.and_then(|owner| child(owner, "project"));
        // Since Nova 32 the image has an element of its own, which stays right
        // when an instance is unshelved; before, the root disk named it.
        let root = child(instance, "root");
        let image = child(instance, "image")
            .or_else(|| root.filter(|root| root.attribute("type") == Some("image")));
        let ports = child(instance, "ports").into_iter().flat_map(|ports| ports.children());
        Self {
            name: child(instance, "name").and_then(text),
            flavor: flavor.and_then(|flavor| attribute(flavor, "name")),
            flavor_id: flavor.and_then(|flavor| attribute(flavor, "id")),
            user: user.and_then(text),
            user_id: user.and_then(|user| attribute(user, "uuid")),
            project: project.and_then(text),
            project_id: project.and_then(|project| attribute(project, "uuid")),
            image_id: image.and_then(|image| attribute(image, "uuid")),
            root_type: root.and_then(|root| attribute(root, "type")),
            root_id: root.and_then(|root| attribute(root, "uuid")),
            ports: ports.filter_map(|port| attribute(port, "uuid")).collect(),
        }
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn text(node: Node<'_, '_>) -> Option<String> {
    node.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_from_volume_has_no_image() {
        for root in ["", "<root type='volume' uuid=''/>", "<image uuid=''/>"] {
            let nova = Nova::parse(&format!("<instance>{root}</instance>")).unwrap();
            assert_eq!(nova.image_id, None, "{root}");
        }
    }

    #[test]
    fn a_name_is_every_character_of_it() {
        let nova = Nova::parse("<instance><name> a &lt;\"]]&gt;\n\t\u{1f600}</name></instance>");
        assert_eq!(nova.unwrap().name.unwrap(), " a <\"]]>\n\t\u{1f600}");
    }

    #[test]
    fn an_entity_bomb_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><instance><name>&b;</name></instance>";
        assert!(Nova::parse(bomb).is_err());
    }
}
