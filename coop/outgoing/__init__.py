"""What money that left, or came back, may be: acts noted by hand, bills of suppliers, payments sent before."""
