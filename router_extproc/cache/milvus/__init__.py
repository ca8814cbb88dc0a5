"""The backend that keeps entries in Milvus: a server, a cluster, or Milvus Lite in a process beside us."""
