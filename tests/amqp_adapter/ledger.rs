//! Records come back in their order, with their offsets.

use suppressd::codec::record;
use suppressd::domain::record::Entry;
use suppressd::service::ports::{Ledger, LedgerReader, Start};

use crate::support::{Client, Rabbit, broker, broker_url, fresh_names, soon};

async fn read(reader: &mut Box<dyn LedgerReader>, count: usize) -> Vec<(u64, Vec<u8>)> {
    let mut records = Vec::new();
    while records.len() < count {
        records.push(soon(reader.next()).await.unwrap());
    }
    records
}

#[tokio::test]
async fn a_reader_gets_every_record_from_exactly_its_offset() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    for n in 0..300_u64 {
        broker.append(n.to_be_bytes().to_vec()).await.unwrap();
    }
    for start in [0, 1, 137, 299] {
        let mut reader = broker.read_from(Start::Offset(start)).await.unwrap();
        let records = read(&mut reader, usize::try_from(300 - start).unwrap()).await;
        for (expected, (offset, record)) in (start..).zip(records) {
            assert_eq!((offset, record), (expected, expected.to_be_bytes().to_vec()));
        }
    }
    let mut reader = broker.read_from(Start::Last).await.unwrap();
    loop {
        let (offset, record) = soon(reader.next()).await.unwrap();
        assert_eq!(record, offset.to_be_bytes());
        if offset == 299 {
            break;
        }
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn a_reader_reads_on_far_beyond_what_rabbitmq_sends_ahead() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let appends = (0..3_000_u32).map(|_| broker.append(vec![7; 100]));
    let appends = futures_util::StreamExt::buffer_unordered(futures_util::stream::iter(appends), 64);
    futures_util::TryStreamExt::try_collect::<Vec<()>>(appends).await.unwrap();
    let mut reader = broker.read_from(Start::Offset(0)).await.unwrap();
    let offsets: Vec<u64> = read(&mut reader, 3_000).await.into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, (0..3_000).collect::<Vec<_>>());
    broker.shutdown().await;
}

#[tokio::test]
async fn a_reader_beyond_the_end_gets_the_next_record_and_a_cancelled_wait_loses_none() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let mut reader = broker.read_from(Start::Offset(0)).await.unwrap();
    for n in 0..400_u64 {
        assert!(futures_util::FutureExt::now_or_never(reader.next()).is_none(), "nothing is there yet");
        broker.append(vec![1]).await.unwrap();
        assert_eq!(soon(reader.next()).await.unwrap(), (n, vec![1]));
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn a_place_that_rabbitmq_keeps_for_itself_is_a_record_that_says_nothing() {
    let rabbit = Rabbit::start().await;
    // It keeps the first place of each segment.
    let small = r#"{"stream-max-segment-size-bytes":65536}"#;
    rabbit.control(&["set_policy", "segments", ".*", small, "--apply-to", "queues"]).await;
    let (broker, _inputs) = broker(&rabbit.url(), &fresh_names()).await;
    let written: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n; 2000]).collect();
    for record in &written {
        broker.append(record.clone()).await.unwrap();
    }
    let mut reader = broker.read_from(Start::Offset(0)).await.unwrap();
    let mut records = read(&mut reader, written.len()).await;
    while records.last().is_some_and(|(_, record)| Some(record) != written.last()) {
        records.extend(read(&mut reader, 1).await);
    }
    let offsets: Vec<u64> = records.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (0..records.len() as u64).collect::<Vec<_>>(), "no gaps");
    let void = |offset: u64| record::write(&Entry::void(offset));
    let (voids, said): (Vec<_>, Vec<_>) =
        records.iter().cloned().partition(|(offset, record)| *record == void(*offset));
    assert_eq!(said.into_iter().map(|(_, record)| record).collect::<Vec<_>>(), written);
    assert!(voids.len() > 1, "there are several segments");
    for (place, _) in voids {
        for start in [place - 1, place, place + 1] {
            let mut reader = broker.read_from(Start::Offset(start)).await.unwrap();
            let from = usize::try_from(start).unwrap();
            assert_eq!(read(&mut reader, 3).await, records[from..from + 3]);
        }
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn a_reader_of_a_deleted_stream_says_so() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    let mut reader = broker.read_from(Start::Offset(0)).await.unwrap();
    Client::connect(&url).await.delete_queue(&names.ledger).await;
    assert!(soon(reader.next()).await.is_err());
    broker.shutdown().await;
}

#[tokio::test]
async fn a_deleted_stream_is_declared_again_by_whoever_reads_it_and_not_by_whoever_appends() {
    let (url, names) = (broker_url().await, fresh_names());
    let (broker, _inputs) = broker(&url, &names).await;
    Client::connect(&url).await.delete_queue(&names.ledger).await;
    for _ in 0..2 {
        let fault = broker.append(vec![1]).await.unwrap_err();
        assert!(fault.to_string().contains("the ledger's stream is gone"), "{fault}");
    }
    let mut reader = loop {
        match soon(broker.read_from(Start::Offset(0))).await {
            Ok(reader) => break reader,
            Err(fault) => assert!(fault.to_string().contains("NOT_FOUND"), "{fault}"),
        }
    };
    broker.append(vec![2]).await.unwrap();
    assert_eq!(soon(reader.next()).await.unwrap(), (0, vec![2]), "what was appended in between is not there");
    broker.shutdown().await;
}
