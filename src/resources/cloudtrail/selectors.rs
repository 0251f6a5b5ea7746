//! What a trail records. Its selectors are of the basic or of the advanced sort, never of both.

use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types::{AdvancedEventSelector, EventSelector, ReadWriteType};

/// Whether a trail records every management event: reads and writes, of every service.
pub(super) fn record_all_management(found: &GetEventSelectorsOutput) -> bool {
    let basic = |selector: &EventSelector| {
        selector.include_management_events() == Some(true)
            && selector.read_write_type() == Some(&ReadWriteType::All)
            && selector.exclude_management_event_sources().is_empty()
    };
    found.event_selectors().iter().any(basic) || found.advanced_event_selectors().iter().any(all_management)
}

/// A selector with any further field would leave something out.
fn all_management(selector: &AdvancedEventSelector) -> bool {
    match selector.field_selectors() {
        [only] => only.field() == "eventCategory" && only.equals() == ["Management"],
        _ => false,
    }
}

/// The selector that records every management event and nothing else, which is what a new trail has.
pub(super) fn management() -> EventSelector {
    EventSelector::builder().read_write_type(ReadWriteType::All).include_management_events(true).build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudtrail::types::AdvancedFieldSelector;

    use super::*;

    fn basic(selector: EventSelector) -> bool {
        record_all_management(&GetEventSelectorsOutput::builder().event_selectors(selector).build())
    }

    fn changed(change: impl FnOnce(&mut EventSelector)) -> EventSelector {
        let mut selector = management();
        change(&mut selector);
        selector
    }

    fn advanced(fields: &[(&str, &str)]) -> bool {
        let fields = fields.iter().map(|(field, value)| {
            AdvancedFieldSelector::builder().field(*field).equals(*value).build().expect("a field is all it needs")
        });
        let selector = AdvancedEventSelector::builder().set_field_selectors(Some(fields.collect())).build();
        let selector = selector.expect("fields are all it needs");
        record_all_management(&GetEventSelectorsOutput::builder().advanced_event_selectors(selector).build())
    }

    #[test]
    fn only_what_leaves_nothing_out_counts() {
        assert!(basic(management()));
        assert!(!basic(changed(|selector| selector.read_write_type = Some(ReadWriteType::WriteOnly))));
        assert!(!basic(changed(|selector| selector.include_management_events = Some(false))));
        let without = Some(vec!["kms.amazonaws.com".to_owned()]);
        assert!(!basic(changed(|selector| selector.exclude_management_event_sources = without)));
        assert!(advanced(&[("eventCategory", "Management")]));
        assert!(!advanced(&[("eventCategory", "Data")]));
        assert!(!advanced(&[("eventCategory", "Management"), ("readOnly", "false")]));
        assert!(!record_all_management(&GetEventSelectorsOutput::builder().build()));
    }
}
