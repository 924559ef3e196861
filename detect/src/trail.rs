//! What a change of a trail leaves of it, by its parameters. In: `requestParameters` of CloudTrail's own API. Out: whether
//! management events are left out, and whether data events are taken.

use ingest::{Raw, Text};

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

/// Whether event selectors take all data events of a type.
pub(crate) fn takes_data(request: Raw<'_>) -> bool {
    let mut advanced = request.get("advancedEventSelectors").into_iter().flat_map(Raw::each);
    let selectors = request.get("eventSelectors").into_iter().flat_map(Raw::each);
    let resources = selectors.filter_map(|selector| selector.get("dataResources"));
    let values = resources.flat_map(Raw::each).filter_map(|resource| resource.get("values"));
    // `arn:aws:s3` and `arn:aws:s3:::` are all there are.
    let names_all = |value: Text<'_>| value.get().splitn(6, ':').nth(5).is_none_or(str::is_empty);
    let is_all = |selector: Raw<'_>| {
        let is_limit =
            |field: Raw<'_>| !is_of(field, "eventCategory") && !is_of(field, "resources.type");
        takes(selector, "Data") && !fields(selector).any(is_limit)
    };
    advanced.any(is_all) || values.flat_map(Raw::each).filter_map(Raw::text).any(names_all)
}

/// Whether event selectors leave out management events of services: of KMS and the data API of RDS, AWS lets it be.
pub(crate) fn leaves_out_services(request: Raw<'_>) -> bool {
    let advanced = request.get("advancedEventSelectors").into_iter().flat_map(Raw::each);
    let selectors = request.get("eventSelectors").into_iter().flat_map(Raw::each);
    let mut excluded = selectors.filter_map(|one| one.get("excludeManagementEventSources"));
    let mut management = advanced.filter(|selector| takes(*selector, "Management"));
    excluded.any(|services| services.each().next().is_some())
        || management.any(|selector| fields(selector).any(is_exclusion))
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

/// Whether an advanced selector takes management events, those that read and those that write, of everybody and of all
/// services but those that may be left out.
fn is_whole(selector: Raw<'_>) -> bool {
    let is_limit = |field: Raw<'_>| !is_of(field, "eventCategory") && !is_exclusion(field);
    takes(selector, "Management") && !fields(selector).any(is_limit)
}

/// Whether a field leaves out services and does nothing else.
fn is_exclusion(field: Raw<'_>) -> bool {
    let mut others = field.entries().map(|(key, _)| key);
    is_of(field, "eventSource") && others.all(|key| key.is("field") || key.is("notEquals"))
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
