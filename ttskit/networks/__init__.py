"""Parts of models: layers, flows, critics, batches; never a whole family."""
