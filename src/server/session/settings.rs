//! Other settings: what of the session they change.

use serde_json::Value;
use tower_lsp_server::ls_types::Uri;

use super::Session;
use crate::server::roots::Changed;
use crate::settings::Layer;

impl Session {
    /// The addresses for which the editor is asked for settings.
    pub(in crate::server) fn scopes(&self) -> Vec<Option<Uri>> {
        match self.roots.is_empty() {
            true => vec![None],
            false => self.roots.iter().map(|root| root.uri.clone()).collect(),
        }
    }

    /// Takes the editor's settings, in the order of [`Session::scopes`].
    pub(in crate::server) fn settings_changed(&mut self, settings: &[Value]) {
        let layers: Vec<Layer> = settings.iter().map(|value| self.initial.overlaid(value)).collect();
        if let Some(only) = layers.last().filter(|_| self.roots.is_empty()) {
            self.initial = only.clone();
        }
        let changed = self.roots.set_editor(&layers);
        self.take(changed);
    }

    pub(super) fn take(&mut self, changed: Changed) {
        let settings = self.roots.settings();
        if changed.workspace {
            self.open_project(); // What was read before makes room.
        } else if changed.environment
            && let Some(project) = self.project_to_change()
        {
            if let Err(error) = project.reconfigure(&settings) {
                self.outbox.warn(error.to_string());
            }
            self.begin_warming();
            self.tell_of_environments();
        }
        self.everything_is_stale();
    }
}
