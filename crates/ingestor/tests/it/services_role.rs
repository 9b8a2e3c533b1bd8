//! The ingestor as a role that owns nothing, with the rights that README.md gives it.

use devstack::ServicesRole;

use crate::{member, platform::Platform, story::Story};

#[tokio::test(flavor = "multi_thread")]
async fn the_services_role_may_all_that_a_member_does() {
    let platform = Platform::new(2).await;
    let role = ServicesRole::make(platform.config.postgres.url.expose()).await;
    let mut config = platform.config.clone();
    config.postgres.url = role.url().into();
    let story = Story::new(1, 300);
    platform.send(story.records());
    let member = member::start(&config);
    platform.drained(story.len()).await;
    member.stop().await;
    story.assert_told(&platform).await;
    role.end().await;
}
