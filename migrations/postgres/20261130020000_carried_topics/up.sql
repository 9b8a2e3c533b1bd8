-- What the events of a topic are about, as each ingestor says that reads it. Of a topic that is not here nobody knows.
CREATE TABLE carried_topic (
    topic text NOT NULL,
    domain text NOT NULL,
    PRIMARY KEY (topic, domain)
);
