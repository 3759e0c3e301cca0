//! The made-up company in a state in which every page has something to show: for the demonstration in
//! a browser, and for tests of the pages.

use std::path::Path;
use std::sync::Arc;

use super::super::import::Progress;
use super::super::sample::generate;
use super::super::{
    Appliance, Grant, NewCustodian, NewPolicy, NoticeOrder, REMIND_DAYS, Result, Review,
    SearchRequest,
};
use super::govern::{self, DemoClock};
use super::{DemoRequest, Staff, Workplace, create, write_exports};
use crate::auth::LinkToken;
use crate::crypto::{hex, random_bytes};
use crate::domain::{Lock, NoticeLanguage, Period, PolicyAction, Role};
use crate::search::Order;

/// Searches that somebody saved in the demonstration: name and query.
const SAVED: [(&str, &str); 2] = [
    ("Discounts promised", "discount OR rebate"),
    ("Edited after the fact", "is:edited"),
];

/// The company on stage. Dropping it removes everything that was temporary.
pub struct Staged {
    /// The opened product.
    pub appliance: Arc<Appliance>,
    /// A login for each role, and a link that signs it in once.
    pub links: Vec<(Role, &'static str, LinkToken)>,
    /// The password of everybody: what is typed where a page asks for it once more.
    pub password: String,
    _place: Workplace,
}

impl Staged {
    /// Where it works.
    pub fn root(&self) -> &Path {
        &self._place.root
    }
}

/// Makes the company: messages of 26 months, a matter with a hold and its notices, a policy whose first list was
/// destroyed and certified, a list that waits for its second approval, saved searches.
///
/// # Errors
/// As the use-cases it calls; when `progress` asks to stop.
pub fn stage_demo(request: &DemoRequest, progress: &dyn Progress) -> Result<Staged> {
    let entropy = super::super::SystemEntropy;
    let place = Workplace::new(request, &entropy);
    let clock = DemoClock::new(&entropy);
    let password = hex(&random_bytes::<8>(&entropy));
    let (appliance, administrator) = create(&place.root, &entropy, &clock, &password)?;
    let staff = Staff::hire(&appliance, administrator, &password)?;
    let sample = generate(request.seed, request.messages);
    for export in &write_exports(&sample, &place.root.join("exports"))? {
        appliance.import(&staff.officer, export, progress)?;
    }
    appliance.add_user(
        &staff.administrator,
        "auditor",
        Role::Auditor,
        &password,
        &[],
    )?;
    show_manager(&appliance, &staff)?;
    for (name, query) in SAVED {
        let id = appliance.keep_search(&staff.lawyer, query, Order::Newest)?;
        appliance.save_search(&staff.lawyer, id, name)?;
    }
    govern::let_one_list_go(&appliance, &staff, &clock)?;
    leave_one_waiting(&appliance, &staff)?;
    tell_custodians(&appliance, &staff)?;
    let links = [
        (Role::Lawyer, "lawyer"),
        (Role::RecordsOfficer, "officer"),
        (Role::Manager, "manager"),
        (Role::Auditor, "auditor"),
        (Role::Administrator, "administrator"),
    ]
    .into_iter()
    .map(|(role, login)| Ok((role, login, appliance.sign_in_link(login)?)))
    .collect::<Result<_>>()?;
    Ok(Staged {
        appliance: Arc::new(appliance),
        links,
        password,
        _place: place,
    })
}

/// The manager sees the conversations of some clients.
fn show_manager(appliance: &Appliance, staff: &Staff) -> Result<()> {
    let conversations = appliance.conversations(&staff.lawyer)?;
    let half = conversations.len().div_ceil(2);
    let grants: Vec<Grant> = conversations[..half]
        .iter()
        .map(|line| Grant::Conversation(line.id))
        .collect();
    appliance
        .set_grants(&staff.administrator, "manager", &grants)
        .map(drop)
}

/// Three people are named with the hold: one has confirmed the notice, one has not, and of one only
/// counsel knows.
fn tell_custodians(appliance: &Appliance, staff: &Staff) -> Result<()> {
    let Some(hold) = appliance.holds(&staff.lawyer)?.pop() else {
        return Ok(());
    };
    let person = |name: &str, language| NewCustodian {
        name: name.to_owned(),
        language,
        manager: "Ruth Calder".to_owned(),
        manager_address: "ruth.calder@example.com".to_owned(),
        ..NewCustodian::default()
    };
    let confirming = NewCustodian {
        address: "karim.weber@example.com".to_owned(),
        seat: "Sales phone 3".to_owned(),
        ..person("Karim Weber", NoticeLanguage::German)
    };
    let waiting = NewCustodian {
        address: "maria.santos@example.com".to_owned(),
        ..person("Maria Santos", NoticeLanguage::Portuguese)
    };
    let silent = NewCustodian {
        silent: true,
        ..person("Outside counsel", NoticeLanguage::English)
    };
    for custodian in [confirming, waiting, silent] {
        appliance.add_custodian(&staff.lawyer, hold.id, &custodian)?;
    }
    let issued = appliance.issue_notices(
        &staff.lawyer,
        &NoticeOrder {
            hold: hold.id,
            custodians: Vec::new(),
            keep: "Chats, photos and notes about deliveries to Vogel Gastro since 2024".to_owned(),
            contact: "legal@example.com".to_owned(),
            remind_days: REMIND_DAYS,
        },
    )?;
    if let Some(first) = issued.issued.first() {
        let (letter, _) = appliance.make_letter(&staff.lawyer, *first)?;
        appliance.confirm_notice(&letter.token)?;
    }
    Ok(())
}

/// A second policy is in force, and what it lets go waits for another approval.
fn leave_one_waiting(appliance: &Appliance, staff: &Staff) -> Result<()> {
    let new = NewPolicy {
        of: None,
        name: "quotes of the first year".to_owned(),
        scope: "quote OR oferta OR Angebot".to_owned(),
        action: PolicyAction::Delete,
        period: Period::years(1),
        zone: None,
        trigger: "sent".to_owned(),
        label: None,
        organisation: false,
        lock: Lock::None,
        reviewers: Some(2),
        citation: "GDPR art. 5(1)(e)".to_owned(),
        reason: "prices of that year bind nobody any more".to_owned(),
        accept: Vec::new(),
    };
    let (id, _, _) = appliance.write_policy(&staff.officer, &new)?;
    let soon = appliance.now().compliance.plus_days(1);
    appliance.simulate_policy(&staff.officer, id, Some(soon))?;
    appliance.enable_policy(&staff.officer, id, "as decided")?;
    let planned = appliance.plan_disposition(&staff.officer)?;
    appliance.review_disposition(
        &staff.second,
        planned.batch,
        Review::Approve,
        "looked at the samples",
    )?;
    let mut look = SearchRequest::new("delivery");
    look.limit = 10;
    appliance.search(&staff.lawyer, &look)?;
    Ok(())
}
