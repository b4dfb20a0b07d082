//! Blue and green: every view rebuilt from the log next to the one in use while reads continue, compared with it at exactly one position,
//! and switched to.

use std::{ops::ControlFlow, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Admin, Running, gently, record, snapshot::proof_of};
use crate::{
    domain::system::SystemEvent,
    events::{Log, Position},
    projections::Views,
    snapshots::{Operation, SnapshotError, ViewsProof, WorkError},
};

/// When to switch to the new views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Only if they differ from those in use, which are then wrong or come from an older program.
    #[default]
    IfDifferent,
    Always,
    Never,
}

/// The result of a rebuild.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rebuilt {
    #[schema(value_type = String)]
    pub position: Position,
    /// The projections whose state differed.
    pub differed: Vec<String>,
    pub switched: bool,
}

impl Running {
    /// Rebuilds all views, compares and switches. Reads continue; the views pause only while both digests are taken.
    ///
    /// # Errors
    /// When the log cannot be read, or the projector is gone.
    pub async fn rebuild_views(self: Arc<Self>, admin: Admin, switch: Switch, operation: Arc<Operation>) -> Result<Rebuilt, SnapshotError> {
        let app = self.current();
        let (running, log) = (Arc::clone(&self), Arc::clone(&app.log));
        let rebuilt = gently(move || running.rebuild(&log, switch, &operation)).await??;
        record(&app, &admin, SystemEvent::ViewsRebuilt { differed: rebuilt.differed.clone(), switched: rebuilt.switched }).await?;
        Ok(rebuilt)
    }

    fn rebuild(&self, log: &Arc<dyn Log>, switch: Switch, operation: &Operation) -> Result<Rebuilt, WorkError> {
        let mut green = crate::snapshots::stage::replay(&**log, &operation.progress)?;
        operation.progress.begin("comparing digests", 0);
        let source = Arc::clone(log);
        let blue = self.stand_still(move || (source.head(), ()))?;
        catch_up(&mut green, &**log, blue.position)?;
        let differed = differing(&proof_of(&blue.views.read()), &proof_of(&green));
        let switched = switch == Switch::Always || (switch == Switch::IfDifferent && !differed.is_empty());
        if switched {
            *blue.views.write() = green;
        }
        Ok(Rebuilt { position: blue.position, differed, switched })
    }

    /// The digests of the views at the head of the log. Blocks.
    ///
    /// # Errors
    /// When the projector is gone.
    pub fn digests_now(&self) -> Result<(Position, ViewsProof), SnapshotError> {
        let log = Arc::clone(&self.current().log);
        let standing = self.stand_still(move || (log.head(), ()))?;
        let proof = proof_of(&standing.views.read());
        Ok((standing.position, proof))
    }
}

fn catch_up(views: &mut Views, log: &dyn Log, upto: Position) -> Result<(), WorkError> {
    log.scan(views.position(), &mut |recorded| {
        if recorded.position > upto {
            return ControlFlow::Break(());
        }
        views.absorb(&recorded);
        ControlFlow::Continue(())
    })?;
    Ok(())
}

fn differing(blue: &ViewsProof, green: &ViewsProof) -> Vec<String> {
    green.digests.iter().filter(|(name, digest)| blue.digests.get(*name) != Some(digest)).map(|(name, _)| name.clone()).collect()
}
