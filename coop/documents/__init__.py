"""Members' documents as they are read: pages, papers, and the treasurer's list of all."""
