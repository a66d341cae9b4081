//! Who gave, where the backend does not say.

use crate::model::{Gift, Private, Word};

/// Begins the ids that are made up here. No id and no name that comes has control
/// characters in it.
const MADE_UP: char = '\0';

/// Whose a gift is: its sender's id. Without one the name has to do, and whoever has no
/// name either is nobody else.
pub(super) fn person(gift: &Gift) -> Private<Word> {
    let sender = &gift.sender;
    if !sender.user_id.0.is_empty() {
        return sender.user_id.clone();
    }
    let made_up = match &*sender.name.0 {
        "" => format!("{MADE_UP}{MADE_UP}{}", gift.id),
        name => format!("{MADE_UP}{name}"),
    };
    Private(made_up.into())
}

/// Whether that is an id by which the backend knows somebody.
pub(super) fn is_known(person: &Private<Word>) -> bool {
    !person.0.is_empty() && !person.0.starts_with(MADE_UP)
}
