"""The backend that keeps entries in Milvus: a server, a cluster, or Milvus Lite in this process."""

from router_extproc.cache.milvus.backend import MilvusCache

__all__ = ["MilvusCache"]
