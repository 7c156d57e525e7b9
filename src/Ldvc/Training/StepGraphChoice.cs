using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Ldvc.Tensors.Gpu.Graphs;

namespace Ldvc.Training;

/// <summary>What train.cuda_graph means on a device.</summary>
internal static class StepGraphChoice
{
    /// <summary>Graphs of a trainer's steps; those of a device that has none run every step as it is.</summary>
    /// <param name="config">With train.cuda_graph.</param>
    /// <param name="device">Where steps compute.</param>
    /// <param name="job">The processes that take part.</param>
    /// <param name="say">Gets a sentence when steps of a CUDA device run without a graph, or with one.</param>
    /// <exception cref="InputException">It is on, and there can be no graph.</exception>
    internal static StepGraphs Of(LdvcConfig config, Device device, JobMember job, Action<string> say)
    {
        GraphUse use = config.Train.CudaGraph;
        IGraphDriver? driver = use == GraphUse.Off ? null : CudaGraphs.Of(device);
        string? reason = driver is null ? $"device {device.Name} has none, expected --device cuda"
            : driver.Missing ?? (job.IsAlone ? null : $"the gradients of {job.Group.Size} processes are summed while a step runs");
        if (reason is null || use == GraphUse.Off)
        {
            return new StepGraphs(device, driver, use == GraphUse.On, say);
        }

        if (use == GraphUse.On)
        {
            throw new InputException(
                $"{config.Place}train.cuda_graph is on, but {reason}; auto runs steps without a CUDA graph where there can be none");
        }

        if (driver is not null)
        {
            say($"{device.Name}: steps run without a CUDA graph: {reason}");
        }

        return new StepGraphs(device, null, required: false, say);
    }
}
