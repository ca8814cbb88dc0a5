"""The models on onnxruntime; the only home of onnxruntime, tokenizers and transformers."""
