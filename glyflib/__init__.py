"""The real model, schedule, sampler and data code that the diffusion book runs."""
