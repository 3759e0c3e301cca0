-- Messages of one instant are many where a source has no times: neighbours are found without sorting
-- all of them. Conversation order is (sent, order_index, no); the number is in every index.
drop index message_in_order;
create index message_in_order on message (conversation, sent, order_index);
