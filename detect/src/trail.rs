//! What a change of a trail leaves of it, by its parameters. In: `requestParameters` of CloudTrail's own API. Out: whether
//! management events are left out, and whether data events are taken.

use ingest::Raw;

/// Whether a trail gets less of the management events by `cloudtrail:UpdateTrail` or `cloudtrail:PutEventSelectors`.
pub(crate) fn is_narrowed_by(api: &str, request: Option<Raw<'_>>) -> bool {
    let Some(request) = request else { return false };
    if api == "cloudtrail:PutEventSelectors" {
        return leaves_out_management(request);
    }
    let is_false = |key: &&str| request.get(key).and_then(Raw::bool) == Some(false);
    [
        "isMultiRegionTrail",
        "includeGlobalServiceEvents",
        "enableLogFileValidation",
        "isOrganizationTrail",
    ]
    .iter()
    .any(is_false)
}

/// Whether event selectors take data events.
pub(crate) fn takes_data(request: Raw<'_>) -> bool {
    let advanced = request.get("advancedEventSelectors").into_iter().flat_map(Raw::each);
    let selectors = request.get("eventSelectors").into_iter().flat_map(Raw::each);
    let mut resources = selectors.filter_map(|selector| selector.get("dataResources"));
    advanced.into_iter().any(|selector| takes(selector, "Data"))
        || resources.any(|resources| resources.each().next().is_some())
}

/// Whether event selectors leave out management events, wholly or in part.
fn leaves_out_management(request: Raw<'_>) -> bool {
    if let Some(selectors) = request.get("advancedEventSelectors").filter(|raw| !raw.is_null()) {
        return !selectors.each().any(is_whole);
    }
    let Some(selectors) = request.get("eventSelectors").filter(|raw| !raw.is_null()) else {
        return false;
    };
    !selectors.each().any(|selector| {
        let with_management = selector.get("includeManagementEvents").and_then(Raw::bool);
        let kinds = selector.get("readWriteType").and_then(Raw::text);
        with_management != Some(false) && kinds.is_none_or(|kinds| kinds.0 == "All")
    })
}

/// Whether an advanced selector takes management events, those that read and those that write.
fn is_whole(selector: Raw<'_>) -> bool {
    takes(selector, "Management") && !fields(selector).any(|field| is_of(field, "readOnly"))
}

/// Whether an advanced selector takes events of a category.
fn takes(selector: Raw<'_>, category: &str) -> bool {
    let has = |field: Raw<'_>| {
        let mut categories = field.get("equals").into_iter().flat_map(Raw::each);
        categories.any(|one| one.text().is_some_and(|text| text.is(category)))
    };
    fields(selector).any(|field| is_of(field, "eventCategory") && has(field))
}

fn fields(selector: Raw<'_>) -> impl Iterator<Item = Raw<'_>> {
    selector.get("fieldSelectors").into_iter().flat_map(Raw::each)
}

fn is_of(field: Raw<'_>, name: &str) -> bool {
    field.get("field").and_then(Raw::text).is_some_and(|field| field.is(name))
}
