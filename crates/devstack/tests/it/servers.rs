use devstack::{PrivateStack, Server, StackConfig, test_stack};

#[test]
fn every_server_answers_once_the_stack_has_started() {
    let stack = PrivateStack::start(StackConfig::default()).unwrap();
    for server in Server::ALL {
        stack.probe(server).unwrap();
    }
}

#[tokio::test]
async fn tests_get_databases_of_their_own() {
    let stack = test_stack();
    let first = stack.postgres_database().await;
    let second = stack.postgres_database().await;
    assert_ne!(first, second);
}
