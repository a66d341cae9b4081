//! What the icon's menu holds. Its marks are the stage's own state, whoever
//! changed that; an entry only asks for a change.

use std::cell::Cell;

use ksni::menu::{CheckmarkItem, MenuItem, RadioGroup, RadioItem, StandardItem, SubMenu};
use ksni::{Icon, OfflineReason, ToolTip, Tray};

use super::{Standing, icon};
use crate::governor::Wish as Quality;
use crate::locale::{Text, Words};
use crate::output::overlay::controls::Wish;

const NAME: &str = "Hyperfocus";
/// Unique among programs and the same every time (StatusNotifierItem, Id).
const ID: &str = "hyperfocus-overlay";

/// The qualities in the menu, in the order of [`Quality::WORDS`].
const QUALITIES: [Text; Quality::WORDS.len()] = [
    Text::QualityAuto,
    Text::QualityLow,
    Text::QualityMedium,
    Text::QualityHigh,
    Text::QualityUltra,
];

/// The icon as the desktop sees it.
pub(super) struct Item {
    pub standing: Standing,
    words: Words,
    ask: Box<dyn Fn(Wish) + Send>,
    /// Not muted, and muted.
    icons: [Vec<Icon>; 2],
    has_said_why_not: Cell<bool>,
}

impl Item {
    /// `ask` must not block: the menu waits for it.
    pub fn new(standing: Standing, words: Words, ask: impl Fn(Wish) + Send + 'static) -> Self {
        Self {
            standing,
            words,
            ask: Box::new(ask),
            icons: [false, true].map(icon::icons),
            has_said_why_not: Cell::new(false),
        }
    }

    fn mark(&self, text: Text, checked: bool, wish: Wish) -> MenuItem<Self> {
        CheckmarkItem {
            label: self.words.say(text),
            checked,
            activate: Box::new(move |item: &mut Self| (item.ask)(wish)),
            ..CheckmarkItem::default()
        }
        .into()
    }

    fn entry(&self, text: Text, wish: Wish) -> MenuItem<Self> {
        StandardItem {
            label: self.words.say(text),
            activate: Box::new(move |item: &mut Self| (item.ask)(wish)),
            ..StandardItem::default()
        }
        .into()
    }

    fn qualities(&self) -> MenuItem<Self> {
        let words = Quality::WORDS;
        let is_chosen = |(_, wish): &(&str, Quality)| *wish == self.standing.quality;
        let option = |text| RadioItem {
            label: self.words.say(text),
            ..RadioItem::default()
        };
        SubMenu {
            label: self.words.say(Text::TrayQuality),
            submenu: vec![
                RadioGroup {
                    selected: words.iter().position(is_chosen).unwrap_or(0),
                    select: Box::new(|item: &mut Self, place| {
                        if let Some((_, wish)) = Quality::WORDS.get(place) {
                            (item.ask)(Wish::QualityOf(*wish));
                        }
                    }),
                    options: QUALITIES.map(option).into(),
                }
                .into(),
            ],
            ..SubMenu::default()
        }
        .into()
    }
}

impl Tray for Item {
    // There is nothing to open but the menu.
    const MENU_ON_ACTIVATE: bool = true;

    fn id(&self) -> String {
        ID.into()
    }

    fn title(&self) -> String {
        NAME.into()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        self.icons[usize::from(self.standing.is_muted)].clone()
    }

    fn tool_tip(&self) -> ToolTip {
        let standing = &self.standing;
        let states = [
            (standing.is_hidden, Text::StateHidden),
            (standing.is_quiet, Text::StateQuiet),
            (standing.is_muted, Text::StateMuted),
        ];
        let told = states.iter().filter(|(holds, _)| *holds);
        let told: Vec<_> = told.map(|(_, text)| self.words.say(*text)).collect();
        ToolTip {
            title: NAME.into(),
            description: told.join(", "),
            ..ToolTip::default()
        }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let standing = self.standing;
        vec![
            self.mark(Text::TrayShow, !standing.is_hidden, Wish::Toggle),
            self.mark(Text::TrayMute, standing.is_muted, Wish::Mute),
            self.mark(Text::TrayQuiet, standing.is_quiet, Wish::DoNotDisturb),
            self.qualities(),
            MenuItem::Separator,
            self.entry(Text::TrayWhy, Wish::Why),
            self.entry(Text::TrayQuit, Wish::Quit),
        ]
    }

    fn watcher_online(&self) {
        tracing::info!("the desktop has a tray now: the overlay's icon is in it");
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        if !self.has_said_why_not.replace(true) {
            tracing::info!(
                "the desktop has no tray (StatusNotifierWatcher) for the overlay's icon; keys and \
                 `hyperfocus overlay --send` do the same, and when a tray comes so does the icon"
            );
        }
        tracing::debug!("no tray: {reason:?}");
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::governor::Level;

    /// An item, and what was asked through it.
    fn item(standing: Standing, language: &str) -> (Item, Arc<Mutex<Vec<Wish>>>) {
        let asked = Arc::<Mutex<Vec<Wish>>>::default();
        let words = Words::of(language).0;
        let item = {
            let asked = asked.clone();
            Item::new(standing, words, move |wish| {
                asked.lock().unwrap().push(wish);
            })
        };
        (item, asked)
    }

    /// Label and mark of every entry, those below another indented.
    fn lines(item: &Item) -> Vec<String> {
        fn of(entry: &MenuItem<Item>) -> Vec<String> {
            match entry {
                MenuItem::Standard(entry) => vec![entry.label.clone()],
                MenuItem::Separator => vec!["--".into()],
                MenuItem::Checkmark(entry) => {
                    let mark = if entry.checked { "[x]" } else { "[ ]" };
                    vec![format!("{mark} {}", entry.label)]
                }
                MenuItem::SubMenu(entry) => {
                    let below = entry.submenu.iter().flat_map(of);
                    let below = below.map(|line| format!("  {line}"));
                    std::iter::once(entry.label.clone()).chain(below).collect()
                }
                MenuItem::RadioGroup(group) => {
                    let option = |(place, option): (usize, &RadioItem)| {
                        let mark = if place == group.selected {
                            "(x)"
                        } else {
                            "( )"
                        };
                        format!("{mark} {}", option.label)
                    };
                    group.options.iter().enumerate().map(option).collect()
                }
            }
        }
        item.menu().iter().flat_map(of).collect()
    }

    #[test]
    fn the_marks_are_the_stages_state() {
        let (mut item, _) = item(Standing::default(), "en");
        assert_eq!(
            lines(&item),
            [
                "[x] Show gifts",
                "[ ] Mute",
                "[ ] Do not disturb",
                "Quality",
                "  (x) Automatic",
                "  ( ) Low",
                "  ( ) Medium",
                "  ( ) High",
                "  ( ) Ultra",
                "--",
                "Why is nothing showing?",
                "Quit",
            ]
        );
        item.standing = Standing {
            is_hidden: true,
            is_muted: true,
            is_quiet: true,
            quality: Quality::Fixed(Level::HIGH),
        };
        let marked: Vec<_> = lines(&item)
            .into_iter()
            .filter(|line| line.contains('x'))
            .collect();
        assert_eq!(marked, ["[x] Mute", "[x] Do not disturb", "  (x) High"]);
        assert_eq!(item.tool_tip().description, "hidden, do not disturb, muted");
    }

    #[test]
    fn the_menu_speaks_the_stages_language() {
        let (item, _) = item(Standing::default(), "de");
        let lines = lines(&item);
        assert_eq!(lines[0], "[x] Geschenke zeigen");
        assert_eq!(lines[3], "Qualität");
        assert_eq!(lines.last().unwrap(), "Beenden");
    }

    #[test]
    fn an_entry_asks_for_what_it_says_and_changes_no_mark_itself() {
        let (mut item, asked) = item(Standing::default(), "en");
        for entry in item.menu() {
            match entry {
                MenuItem::Standard(entry) => (entry.activate)(&mut item),
                MenuItem::Checkmark(entry) => (entry.activate)(&mut item),
                MenuItem::SubMenu(entry) => {
                    for below in entry.submenu {
                        let MenuItem::RadioGroup(group) = below else {
                            panic!("{below:?}");
                        };
                        (0..group.options.len()).for_each(|place| (group.select)(&mut item, place));
                    }
                }
                MenuItem::Separator | MenuItem::RadioGroup(_) => {}
            }
        }
        let qualities = Quality::WORDS.map(|(_, wish)| Wish::QualityOf(wish));
        let all = [
            &[Wish::Toggle, Wish::Mute, Wish::DoNotDisturb][..],
            &qualities,
            &[Wish::Why, Wish::Quit],
        ];
        assert_eq!(*asked.lock().unwrap(), all.concat());
        assert_eq!(item.standing, Standing::default());
    }
}
