"""onnxruntime, tokenizers and transformers live here, and nowhere else."""
