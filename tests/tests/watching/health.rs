//! gRPC health at the coordinator's port, for whoever can connect, and no reflection there.

use node::clock::now_ms;
use node::enrolment::enrol;
use node::tls::{Connection, Connector, Credentials};
use tests::world::{World, until};
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

async fn connect(world: &World, credentials: Option<&Credentials>) -> Connection {
    let invitation = world.invite("north-east");
    let connector = Connector::new(
        invitation.address.clone(),
        &invitation.authority_pem,
        credentials,
    );
    let connector = connector.expect("a connector");
    connector.connect().await.expect("a connection")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_can_connect_learns_whether_the_coordinator_serves() {
    let world = World::new().await;
    until("the coordinator is ready", || {
        world
            .coordinator()
            .operations()
            .node()
            .readiness()
            .is_ready()
    })
    .await;
    let connection = connect(&world, None).await;
    let mut health = HealthClient::new(connection.channel);
    for service in [
        "",
        "causeway.sync.v1.Sync",
        "causeway.enrolment.v1.Enrolment",
    ] {
        let service = service.to_owned();
        let mut answer = None;
        // It is looked at once a second.
        for _ in 0..100 {
            let asked = HealthCheckRequest {
                service: service.clone(),
            };
            let status = health
                .check(asked)
                .await
                .expect("an answer")
                .into_inner()
                .status;
            answer = Some(status);
            if status == ServingStatus::Serving as i32 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(answer, Some(ServingStatus::Serving as i32), "{service}");
    }
    let other = HealthCheckRequest {
        service: "causeway.coordinator.v1.Coordinator".to_owned(),
    };
    let refused = health.check(other).await.expect_err("not offered there");
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_at_the_port_what_services_there_are() {
    let world = World::new().await;
    let node = world.new_node("north-east");
    let invitation = world.invite("north-east");
    let enrolled = enrol(&invitation, node.identity(), now_ms()).await;
    let enrolled = enrolled.expect("connected");
    for credentials in [None, Some(&enrolled.credentials)] {
        let connection = connect(&world, credentials).await;
        let mut reflection = ServerReflectionClient::new(connection.channel);
        let asked = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let answer = reflection
            .server_reflection_info(tokio_stream::once(asked))
            .await
            .expect_err("no reflection");
        assert_eq!(answer.code(), Code::Unimplemented);
    }
}
