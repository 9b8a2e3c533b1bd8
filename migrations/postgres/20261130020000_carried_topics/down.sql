DROP TABLE carried_topic;
