//! `--select` and `--ignore`: which hazards are looked for.

use crate::cli::failure::Failure;
use crate::cli::workspace::Workspace;
use crate::features::Options;
use crate::pages::{Store, nearest};

/// Switches hazards off that are not selected, or ignored, in every root.
pub(super) fn choose(workspace: &mut Workspace, select: &[String], ignore: &[String]) -> Result<(), Failure> {
    for name in select.iter().chain(ignore) {
        if !workspace.roots().any(|root| ids(&root.store).any(|id| is_named(&id, name))) {
            return Err(unknown(workspace, name));
        }
    }
    for root in workspace.roots_mut() {
        let mut options = Options::clone(&root.options);
        for id in ids(&root.store) {
            let named = |names: &[String]| names.iter().any(|name| is_named(&id, name));
            let selected = select.is_empty() || named(select);
            if !selected || named(ignore) {
                options.severities.insert(id, None);
            } else if !select.is_empty() && options.severity(&id) == Some(None) {
                let page = root.store.page(&id);
                options.severities.insert(id.clone(), page.map(|page| page.severity));
            }
        }
        root.options = options.into();
    }
    Ok(())
}

/// The ids of all hazards.
fn ids(store: &Store) -> impl Iterator<Item = String> {
    let hazards = store.pages().filter(|page| page.message.is_some()).map(|page| page.id.clone());
    hazards.chain([crate::features::UNUSED_SUPPRESSION.to_string()])
}

/// Whether `name` is the id or its topic.
fn is_named(id: &str, name: &str) -> bool {
    id == name || id.split('/').next() == Some(name)
}

fn unknown(workspace: &Workspace, name: &str) -> Failure {
    let mut known: Vec<String> = workspace.roots().flat_map(|root| ids(&root.store)).collect();
    known.extend(known.clone().iter().filter_map(|id| Some(id.split('/').next()?.to_string())));
    let page = workspace.roots().any(|root| root.store.page(name).is_some());
    let advice = match nearest(name, known.iter().map(String::as_str)) {
        _ if page => "; its page explains, but reports no hazard".to_string(),
        Some(id) => format!("; did you mean `{id}`?"),
        None => "; `dunderstand pages` lists the ids".to_string(),
    };
    Failure::new(format!("there is no hazard called `{name}`{advice}"))
}
