//! What a host does about parked gifts: those that no renderer answered for, and
//! that are sent no more by themselves.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::api::{json_response, open, told};
use super::channel::Channel;
use super::hub::{Ended, Ending};
use super::problem::Problem;
use super::server::{Core, Guest};
use super::store::{Admission, DISMISSED, Listed, Offer, SENT_AGAIN, State as GiftState};
use super::tokens::Role;
use crate::model::{Gift, GiftId, WallTime};
use crate::protocol::{ServerMessage, decode_server, limits};

/// Whether a gift goes on as another one, so that counting both would count it twice.
pub(super) fn is_sent_again(listed: &Listed) -> bool {
    let reason = listed.reason.as_deref();
    listed.state == GiftState::Failed && reason.is_some_and(|it| it.starts_with(SENT_AGAIN))
}

/// `POST gifts/{gift}/resend`: sends it once more, as a gift of its own. Under its
/// old id a renderer that has seen it would answer without showing it.
pub(super) async fn resend(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path((id, gift)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let (channel, parked) = find(&core, &id, &gift).await?;
    let again = copy_of(&parked).ok_or_else(Problem::unreadable_gift)?;
    let now = WallTime::now();
    // Safe before the old one ends. Asked for twice, it is a repeat.
    let offers = vec![Offer::new(again, now)];
    let mut admissions = core.store.accept(&channel.id, offers, now).await?;
    let admission = admissions.pop().ok_or_else(Problem::unreadable_gift)?;
    let (status, another) = match &admission {
        Admission::Accepted(another) => {
            core.figures.accepted();
            (StatusCode::CREATED, another)
        }
        Admission::Repeated(another) => (StatusCode::OK, another),
        Admission::Conflict(_) => return Err(Problem::conflict()),
    };
    let reason = format!("{SENT_AGAIN}{another}");
    end(&core, &channel, parked, reason).await;
    Ok(json_response(status, &told(&admission)))
}

/// `POST gifts/{gift}/dismiss`: it will not be shown.
pub(super) async fn dismiss(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path((id, gift)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let (channel, parked) = find(&core, &id, &gift).await?;
    end(&core, &channel, parked, DISMISSED.to_owned()).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The stream of this name, and the parked gift of this id.
async fn find(core: &Core, id: &str, gift: &str) -> Result<(Arc<Channel>, Listed), Problem> {
    let channel = open(core, id).await?;
    let known = core.store.find(&channel.id, &gift.into()).await?;
    let known = known.ok_or_else(Problem::no_such_gift)?;
    match known.state {
        GiftState::Parked => Ok((channel, known)),
        GiftState::Unacked | GiftState::Rendered | GiftState::Failed => Err(Problem::not_parked()),
    }
}

async fn end(core: &Core, channel: &Channel, parked: Listed, reason: String) {
    let ended = Ended {
        gift: parked.gift,
        ending: Ending::Failed(reason.into()),
    };
    core.note(channel, vec![ended]).await;
}

fn copy_of(parked: &Listed) -> Option<Gift> {
    match decode_server(parked.message.as_bytes()).ok()? {
        ServerMessage::Gift(gift) => Some(Gift {
            id: another_id(&gift.id, parked.serial),
            ..gift
        }),
        _ => None,
    }
}

/// The same however often it is asked for, and another gift's never: the serial is
/// the gift's own.
fn another_id(id: &str, serial: u64) -> GiftId {
    let tail = format!(":again-{serial}");
    let room = limits::MAX_ID_BYTES - tail.len();
    format!("{}{tail}", &id[..id.floor_char_boundary(room)]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_id_is_no_longer_than_an_id_may_be() {
        assert_eq!(&*another_id("rose-7", 12), "rose-7:again-12");
        let long = "ä".repeat(limits::MAX_ID_BYTES / 2);
        let another = another_id(&long, u64::MAX);
        assert!(another.len() <= limits::MAX_ID_BYTES && another.len() > 120);
        assert!(another.ends_with("ä:again-18446744073709551615"));
    }
}
