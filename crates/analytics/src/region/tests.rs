use super::*;

fn within(state: Option<&str>, city: Option<&str>) -> RegionFilter {
    let owned = |name: Option<&str>| name.map(str::to_owned);
    RegionFilter::Within {
        state: owned(state),
        city: owned(city),
    }
}

#[test]
fn names_are_read_as_those_of_the_events() {
    assert_eq!(
        RegionFilter::parse(None, None),
        Ok(RegionFilter::Everywhere)
    );
    assert_eq!(
        RegionFilter::parse(Some("lagos state"), None),
        Ok(within(Some("Lagos"), None))
    );
    assert_eq!(
        RegionFilter::parse(Some("LAGOS"), Some("ikeja")),
        Ok(within(Some("Lagos"), Some("Ikeja")))
    );
    assert_eq!(
        RegionFilter::parse(None, Some("Ikeja")),
        Ok(within(Some("Lagos"), Some("Ikeja")))
    );
}

#[test]
fn unknown_is_a_region_too() {
    assert_eq!(
        RegionFilter::parse(Some("unknown"), None),
        Ok(RegionFilter::Remainder(Unknown::State))
    );
    assert_eq!(
        RegionFilter::parse(Some("unknown"), Some("unknown")),
        Ok(RegionFilter::Remainder(Unknown::State))
    );
    assert_eq!(
        RegionFilter::parse(None, Some("unknown")),
        Ok(RegionFilter::Remainder(Unknown::City))
    );
    assert_eq!(
        RegionFilter::parse(Some("Lagos"), Some("unknown")),
        Ok(within(Some("Lagos"), Some("unknown")))
    );
    assert_eq!(
        RegionFilter::parse(Some("unknown"), Some("Ikeja")),
        Ok(RegionFilter::Nowhere)
    );
}

#[test]
fn what_is_not_in_the_table_is_refused() {
    assert_eq!(
        RegionFilter::parse(Some("Bavaria"), None),
        Err(UnknownRegion::State)
    );
    assert_eq!(
        RegionFilter::parse(Some("' OR 1=1 --"), None),
        Err(UnknownRegion::State)
    );
    assert_eq!(
        RegionFilter::parse(Some(""), None),
        Err(UnknownRegion::State)
    );
    assert!(matches!(
        RegionFilter::parse(None, Some("Munich")),
        Err(UnknownRegion::City { .. })
    ));
    assert!(matches!(
        RegionFilter::parse(Some("Lagos"), Some("Kano")),
        Err(UnknownRegion::City { .. })
    ));
    assert!(matches!(
        RegionFilter::parse(Some("unknown"), Some("Munich")),
        Err(UnknownRegion::City { .. })
    ));
}

#[test]
fn a_city_whose_name_several_states_have_is_looked_for_in_all() {
    let mut states = std::collections::BTreeMap::<&str, BTreeSet<&str>>::new();
    for city in Region::cities() {
        states.entry(city.name).or_default().insert(city.state);
    }
    let mut found = 0;
    for (name, states) in states.into_iter().filter(|(_, states)| states.len() > 1) {
        assert_eq!(
            RegionFilter::parse(None, Some(name)),
            Ok(within(None, Some(name))),
            "{states:?}"
        );
        found += 1;
    }
    assert!(found > 0);
}

fn scope(json: &str) -> Scope {
    serde_json::from_str(json).unwrap()
}

#[test]
fn who_sees_all_regions_asks_as_it_is() {
    for asked in [
        RegionFilter::Everywhere,
        RegionFilter::Remainder(Unknown::City),
        RegionFilter::Nowhere,
    ] {
        assert_eq!(asked.clone().seen_by(&Scope::Everywhere), Ok(asked));
    }
}

#[rstest::rstest]
#[case(None, None, true)]
#[case(Some("Lagos"), None, true)]
#[case(Some("Lagos"), Some("Ikeja"), true)]
#[case(None, Some("Ikeja"), true)]
#[case(Some("Lagos"), Some("unknown"), true)]
#[case(Some("Oyo"), None, true)]
#[case(None, Some("Ibadan"), true)]
#[case(Some("Kano"), None, false)]
#[case(None, Some("Kano"), false)]
#[case(Some("unknown"), None, false)]
#[case(Some("unknown"), Some("Ikeja"), false)]
#[case(Some("Oyo"), Some("unknown"), false)]
fn who_sees_some_regions_asks_of_those(
    #[case] state: Option<&str>,
    #[case] city: Option<&str>,
    #[case] is_seen: bool,
) {
    let seen = scope(r#"[{"state":"Lagos"},{"state":"Oyo","city":"Ibadan"}]"#);
    let asked = RegionFilter::parse(state, city).unwrap();
    let told = match &asked {
        RegionFilter::Everywhere => RegionFilter::Settled,
        region => region.clone(),
    };
    assert_eq!(
        asked.seen_by(&seen),
        is_seen.then_some(told).ok_or(OutOfScope)
    );
}

#[test]
fn a_city_that_is_not_known_is_one_of_the_callers() {
    let asked = RegionFilter::parse(None, Some("unknown")).unwrap();
    let in_lagos = scope(r#"[{"state":"Lagos"}]"#);
    assert_eq!(
        asked.clone().seen_by(&in_lagos),
        Ok(within(None, Some("unknown")))
    );
    let in_ikeja = scope(r#"[{"state":"Lagos","city":"Ikeja"}]"#);
    assert_eq!(asked.seen_by(&in_ikeja), Err(OutOfScope));
}
