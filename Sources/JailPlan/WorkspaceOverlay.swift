import JailModel
import JailPolicy

/// The mounts that make the workspace an overlay: the real tree below, unwritable, and a layer that takes every change.
///
/// overlayfs in a user namespace, Linux 5.11; its marks are `user.overlay.*`. Both layers are mounted in a staging
/// directory and detached from it when the overlay stands: the step has no path to either. Guarantees B, G and L.
struct WorkspaceOverlay {
    let layout: WorkspaceLayout
    let sources: WorkspaceLayout.Sources

    private static let stage = ".launch-jail-stage"
    private static let lower = stage + "/lower"
    private static let upper = stage + "/upper"

    func build(_ result: WorkspaceLayout.Result, into builder: inout StepBuilder) {
        let request = layout.request
        for directory in [Self.stage, Self.lower, Self.upper] { builder.add(.makeDirectory(directory, mode: 0o700)) }
        builder.add(
            .attach(
                slot: sources.workspace, target: Self.lower, attributes: [.readOnly, .noSetuid, .noDevices],
                keepSlot: false, optional: false))
        mountLayer(into: &builder)
        builder.add(.probeAttribute(Self.upper + "/upper"))
        builder.add(.sendDescriptor(path: Self.upper + "/upper", tag: .upper))
        builder.makeDirectories(to: request.workspace)
        builder.add(
            .overlay(
                target: StepBuilder.inNewRoot(request.workspace),
                options: Self.options(lower: Self.lower, layer: Self.upper, isVolatile: sources.layer != nil),
                attributes: layout.baseAttributes))
        builder.cover(request.workspace, isOurs: false)
        for place in result.heldPlaces { make(place, into: &builder) }
        for place in result.scratch { mount(place, into: &builder) }
        builder.add(.unmount(Self.upper))
        builder.add(.unmount(Self.lower))
        for directory in [Self.upper, Self.lower, Self.stage] { builder.add(.removeDirectory(directory)) }
    }

    private func mountLayer(into builder: inout StepBuilder) {
        if let slot = sources.layer {
            attach(slot, into: &builder)
            return
        }
        guard case .memory(let bytes, let inodes) = layout.request.layer else { return }
        builder.add(
            .tmpfs(
                target: Self.upper, options: "mode=700,size=\(bytes),nr_inodes=\(inodes)",
                attributes: [.noSetuid, .noDevices]))
        // The overlay's top directory is the layer's: it must look like the workspace itself.
        let mode = layout.resolver.fact(layout.request.workspace).mode & 0o1777
        builder.add(.makeDirectory(Self.upper + "/upper", mode: mode == 0 ? 0o755 : mode))
        builder.add(.makeDirectory(Self.upper + "/work", mode: 0o700))
    }

    private func attach(_ slot: Slot, into builder: inout StepBuilder) {
        builder.add(
            .attach(
                slot: slot, target: Self.upper, attributes: [.noSetuid, .noDevices], keepSlot: false, optional: false))
    }

    /// The directory or file that holds the place of a protected path lies in the layer, never in the real tree.
    private func make(_ place: HeldPlace, into builder: inout StepBuilder) {
        let path = StepBuilder.inNewRoot(layout.request.workspace.appending(contentsOf: place.path))
        switch place.kind {
        case .directory: builder.add(.makeDirectory(path, mode: 0o755))
        case .file(let content):
            builder.add(.makeFile(path, mode: 0o644))
            if !content.isEmpty { builder.add(.write(path: path, text: content)) }
        }
    }

    private func mount(_ place: ScratchPlace, into builder: inout StepBuilder) {
        guard let slot = sources.scratch[place.path] else { return }
        let target = StepBuilder.inNewRoot(layout.request.workspace.appending(contentsOf: place.path))
        guard place.exists else {
            builder.add(
                .attach(slot: slot, target: target, attributes: layout.baseAttributes, keepSlot: false, optional: false)
            )
            return
        }
        let stage = Self.stage + "/scratch"
        builder.add(.makeDirectory(stage, mode: 0o700))
        builder.add(
            .attach(slot: slot, target: stage, attributes: [.noSetuid, .noDevices], keepSlot: false, optional: false))
        let lower = Self.lower + "/" + place.path.joined(separator: "/")
        // A path with `:` or `,` would end the option; the directory is reached through a name of ours.
        let alias = Self.stage + "/scratch-lower"
        builder.add(.makeDirectory(alias, mode: 0o700))
        let copy = builder.slot()
        builder.add(.openTree(path: lower, slot: copy, identity: nil, optional: false))
        builder.add(
            .attach(
                slot: copy, target: alias, attributes: [.readOnly, .noSetuid, .noDevices], keepSlot: false,
                optional: false))
        builder.add(
            .overlay(
                target: target, options: Self.options(lower: alias, layer: stage, isVolatile: true),
                attributes: layout.baseAttributes))
        for path in [alias, stage] {
            builder.add(.unmount(path))
            builder.add(.removeDirectory(path))
        }
    }

    private static func options(lower: String, layer: String, isVolatile: Bool) -> String {
        // `volatile`: without it every copied-up file is fsynced, and a layer that a crash loses is a step discarded.
        "lowerdir=\(lower),upperdir=\(layer)/upper,workdir=\(layer)/work,userxattr" + (isVolatile ? ",volatile" : "")
    }
}
