//! A change of the project: reads make way for it, and those that do not are left behind.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Session;
use crate::analysis::Project;
use crate::server::queue::Workers;
use crate::server::warming::Warming;

impl Session {
    /// The project, after all reads have made way for a change.
    pub(super) fn project_to_change(&mut self) -> Option<&mut Project> {
        self.make_way();
        self.project.as_mut()
    }

    /// Stops all reads, and gives up those that do not stop.
    pub(super) fn make_way(&mut self) {
        let stuck = self.workers.running.stop();
        self.give_up(stuck);
    }

    /// Leaves reads of these files alone with what they hold, and begins anew without them.
    pub(super) fn give_up(&mut self, stuck: Vec<Option<PathBuf>>) {
        if stuck.is_empty() {
            return;
        }
        let new: BTreeSet<PathBuf> = stuck.into_iter().flatten().filter(|path| !self.given_up.contains(path)).collect();
        for path in &new {
            self.outbox.warn(format!(
                "`{}` is not explained any more: working out its types did not end. Restarting the server tries again.",
                path.display()
            ));
        }
        self.given_up.extend(new);
        self.workers = Workers::start(&self.queue);
        self.warming = Warming::start(&self.queue, self.outbox.clone(), &self.workers, self.warming.round + 1);
        self.open_project();
    }
}
