//! The device of this process.

use super::choice::asked;
use evenhand_kernels::device::{Choice, Device, DeviceError, Probe, Selector, open, probe};
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::OnceLock;

/// What experiments are declared for, before a device is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Label of the device: `cpu`, or the card's name.
    pub label: String,
    /// Whether it is a GPU.
    pub gpu: bool,
}

impl Expected {
    fn of(choice: &Choice, found: impl FnOnce() -> Probe) -> Self {
        let gpu = |label: String| Self { label, gpu: true };
        let cpu = Self {
            label: "cpu".to_owned(),
            gpu: false,
        };
        let selector = match choice {
            Choice::Cpu => return cpu,
            Choice::Auto => &Selector::First,
            Choice::Cuda(selector) => selector,
        };
        match (found(), choice) {
            (Probe::Ready { cards, .. }, _) => {
                let card = cards
                    .iter()
                    .enumerate()
                    .find(|(index, card)| match selector {
                        Selector::First => true,
                        Selector::Index(wanted) => index == wanted,
                        Selector::Uuid(uuid) => card.uuid.to_ascii_lowercase().starts_with(uuid),
                    });
                gpu(card.map_or_else(|| choice.to_string(), |(_, card)| card.name.clone()))
            }
            (_, Choice::Auto) => cpu,
            // The arms will say why it is not there.
            (_, wanted) => gpu(wanted.to_string()),
        }
    }
}

fn choice() -> Result<Choice, DeviceError> {
    asked()
        .parse()
        .map_err(|e| DeviceError::Unavailable(format!("{}: {e}", super::VARIABLE)))
}

/// What experiments of this process are declared for. Looks at the driver once
/// and opens nothing.
#[must_use]
pub fn expected() -> &'static Expected {
    static EXPECTED: OnceLock<Expected> = OnceLock::new();
    EXPECTED.get_or_init(|| match choice() {
        Ok(choice) => Expected::of(&choice, probe),
        Err(_) => Expected {
            label: asked(),
            gpu: true,
        },
    })
}

/// The device of this process, opened at the first call.
///
/// # Errors
/// If what was asked for is not there; the text says why.
pub fn chosen() -> Result<Rc<dyn Device>, DeviceError> {
    thread_local! {
        static OPENED: OnceCell<Result<Rc<dyn Device>, DeviceError>> = const { OnceCell::new() };
    }
    OPENED.with(|opened| opened.get_or_init(|| open(&choice()?)).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenhand_kernels::device::Card;

    fn ready() -> Probe {
        let card = |name: &str, uuid: &str| Card {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            capability: (9, 0),
        };
        Probe::Ready {
            version: 13000,
            cards: vec![card("A", "GPU-aa"), card("B", "GPU-bb")],
        }
    }

    #[test]
    fn the_label_is_that_of_the_card_that_will_be_opened() {
        let label = |text: &str, found| {
            let expected = Expected::of(&text.parse().unwrap(), || found);
            (expected.label, expected.gpu)
        };
        assert_eq!(label("auto", ready()), ("A".into(), true));
        assert_eq!(label("cuda:1", ready()), ("B".into(), true));
        assert_eq!(label("cuda:GPU-BB", ready()), ("B".into(), true));
        assert_eq!(label("cpu", ready()), ("cpu".into(), false));
        assert_eq!(label("auto", Probe::NoLibrary), ("cpu".into(), false));
        // Asked for and not there: never called `cpu`.
        assert_eq!(label("cuda", Probe::NoDevice), ("cuda".into(), true));
        assert_eq!(label("cuda:7", ready()), ("cuda:7".into(), true));
    }
}
