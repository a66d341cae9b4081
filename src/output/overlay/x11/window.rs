//! One window of the overlay, and the pixmap that all of them show.

use x11rb::connection::Connection;
use x11rb::protocol::render::{ConnectionExt as _, CreatePictureAux, PictOp, Picture, Transform};
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::protocol::xproto::{
    AtomEnum, ClipOrdering, ConfigureWindowAux, ConnectionExt as _, CreateGCAux, CreateWindowAux,
    EventMask, Gcontext, ImageFormat, Pixmap, PropMode, StackMode, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::{DEPTH, Session, X11Error};
use crate::output::overlay::place::Rect;
use crate::output::overlay::pool::Pool;

const TITLE: &[u8] = b"Hyperfocus overlay";
/// Instance and class (ICCCM 4.1.2.5).
const CLASS: &[u8] = b"hyperfocus\0Hyperfocus\0";
/// Input hint given: none wanted (ICCCM 4.1.2.4).
const HINTS: [u32; 9] = [1, 0, 0, 0, 0, 0, 0, 0, 0];
/// Decorations given: none (Motif's flag 2).
const UNDECORATED: [u32; 5] = [2, 0, 0, 0, 0];
/// Position and size are the user's, and it is resized by nobody (ICCCM
/// 4.1.2.3: USPosition, USSize, PMinSize, PMaxSize).
const SIZE_FLAGS: u32 = 1 | 2 | 16 | 32;

/// In place of a desktop's number (EWMH, _NET_WM_DESKTOP).
const ALL_DESKTOPS: u32 = u32::MAX;

/// The stage in the X server.
pub(super) struct Stage {
    pub size: (u32, u32),
    stride: u32,
    memory: Seg,
    pixmap: Pixmap,
    picture: Picture,
    pencil: Gcontext,
}

impl Stage {
    pub fn new(session: &Session, pool: &Pool) -> Result<Self, X11Error> {
        let connection = &session.connection;
        let memory = connection.generate_id()?;
        let file = pool.fd().try_clone_to_owned()?;
        connection.shm_attach_fd(memory, file, true)?.check()?;
        let pixmap = connection.generate_id()?;
        let (width, height) = (pool.width as u16, pool.height as u16);
        connection.create_pixmap(DEPTH, pixmap, session.screen.root, width, height)?;
        let picture = connection.generate_id()?;
        let plain = CreatePictureAux::new();
        connection.render_create_picture(picture, pixmap, session.format, &plain)?;
        connection.render_set_picture_filter(picture, b"bilinear", &[])?;
        let pencil = connection.generate_id()?;
        connection.create_gc(pencil, pixmap, &CreateGCAux::new())?;
        Ok(Self {
            size: (pool.width, pool.height),
            stride: pool.stride,
            memory,
            pixmap,
            picture,
            pencil,
        })
    }

    /// Takes the picture in `slot`, which the server says when it has done.
    pub fn put(&self, session: &Session, slot: usize, pool: &Pool) -> Result<(), X11Error> {
        let (width, height) = (self.size.0 as u16, self.size.1 as u16);
        session.connection.shm_put_image(
            self.pixmap,
            self.pencil,
            (self.stride / 4) as u16,
            height,
            0,
            0,
            width,
            height,
            0,
            0,
            DEPTH,
            ImageFormat::Z_PIXMAP.into(),
            true,
            self.memory,
            (slot * pool.slot_bytes()) as u32,
        )?;
        Ok(())
    }
}

pub(super) struct Window {
    pub id: u32,
    pub rect: Rect,
    picture: Picture,
    /// Nobody arranges the windows of this desktop, so that it keeps itself
    /// above the others.
    is_alone: bool,
}

impl Window {
    pub fn open(session: &Session, rect: Rect) -> Result<Self, X11Error> {
        let (connection, atoms) = (&session.connection, &session.atoms);
        let is_alone = !session.has_window_manager()?;
        let id = connection.generate_id()?;
        connection.create_window(
            DEPTH,
            id,
            session.screen.root,
            rect.x as i16,
            rect.y as i16,
            rect.width as u16,
            rect.height as u16,
            0,
            WindowClass::INPUT_OUTPUT,
            session.visual,
            &CreateWindowAux::new()
                .background_pixel(0)
                .border_pixel(0)
                .override_redirect(u32::from(is_alone))
                .colormap(session.colormap)
                .event_mask(EventMask::EXPOSURE | EventMask::STRUCTURE_NOTIFY),
        )?;
        let_clicks_through(session, id)?;
        let replace = PropMode::REPLACE;
        let (string, cardinal) = (AtomEnum::STRING, AtomEnum::CARDINAL);
        connection.change_property8(replace, id, AtomEnum::WM_NAME, string, TITLE)?;
        connection.change_property8(replace, id, atoms._NET_WM_NAME, atoms.UTF8_STRING, TITLE)?;
        connection.change_property8(replace, id, AtomEnum::WM_CLASS, string, CLASS)?;
        let hints = AtomEnum::WM_HINTS;
        connection.change_property32(replace, id, hints, hints, &HINTS)?;
        let motif = atoms._MOTIF_WM_HINTS;
        connection.change_property32(replace, id, motif, motif, &UNDECORATED)?;
        connection.change_property32(
            replace,
            id,
            AtomEnum::WM_NORMAL_HINTS,
            AtomEnum::WM_SIZE_HINTS,
            &size_hints(rect),
        )?;
        connection.change_property32(
            replace,
            id,
            atoms._NET_WM_WINDOW_TYPE,
            AtomEnum::ATOM,
            &[
                atoms._NET_WM_WINDOW_TYPE_NOTIFICATION,
                atoms._NET_WM_WINDOW_TYPE_UTILITY,
            ],
        )?;
        connection.change_property32(
            replace,
            id,
            atoms._NET_WM_STATE,
            AtomEnum::ATOM,
            &[
                atoms._NET_WM_STATE_ABOVE,
                atoms._NET_WM_STATE_SKIP_TASKBAR,
                atoms._NET_WM_STATE_SKIP_PAGER,
                atoms._NET_WM_STATE_STICKY,
            ],
        )?;
        let desktop = atoms._NET_WM_DESKTOP;
        connection.change_property32(replace, id, desktop, cardinal, &[ALL_DESKTOPS])?;
        connection.map_window(id)?;
        // Some window managers place new windows themselves.
        let place = ConfigureWindowAux::new().x(rect.x).y(rect.y);
        connection.configure_window(id, &place.stack_mode(StackMode::ABOVE))?;
        let picture = connection.generate_id()?;
        connection.render_create_picture(picture, id, session.format, &CreatePictureAux::new())?;
        Ok(Self {
            id,
            rect,
            picture,
            is_alone,
        })
    }

    /// Shows the stage as it is.
    pub fn draw(&self, session: &Session, stage: &Stage) -> Result<(), X11Error> {
        let connection = &session.connection;
        // From the window's pixels to the stage's, as numbers of 16.16 bits.
        let ratio = |from: u32, to: u32| ((f64::from(from) / f64::from(to)) * 65_536.0) as i32;
        let transform = Transform {
            matrix11: ratio(stage.size.0, self.rect.width),
            matrix22: ratio(stage.size.1, self.rect.height),
            matrix33: 65_536,
            ..Transform::default()
        };
        connection.render_set_picture_transform(stage.picture, transform)?;
        let (width, height) = (self.rect.width as u16, self.rect.height as u16);
        connection.render_composite(
            PictOp::SRC,
            stage.picture,
            x11rb::NONE,
            self.picture,
            0,
            0,
            0,
            0,
            0,
            0,
            width,
            height,
        )?;
        Ok(())
    }

    /// Comes above what has just come.
    pub fn keep_above(&self, session: &Session) -> Result<(), X11Error> {
        if self.is_alone {
            let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            session.connection.configure_window(self.id, &above)?;
        }
        Ok(())
    }
}

/// Takes a window's input shape away: every click goes to what is below. The
/// frames that window managers put around windows need it as well; not all of
/// them copy it from what they frame.
pub(super) fn let_clicks_through(session: &Session, window: u32) -> Result<(), X11Error> {
    let any = ClipOrdering::UNSORTED;
    let shaped = session
        .connection
        .shape_rectangles(SO::SET, SK::INPUT, any, window, 0, 0, &[])?;
    // A frame may have gone by now, which the log needs not know.
    shaped.ignore_error();
    Ok(())
}

/// `WM_SIZE_HINTS`: flags, position, size, least and greatest size, and what
/// else it has room for.
fn size_hints(rect: Rect) -> [u32; 18] {
    let mut hints = [0; 18];
    hints[0] = SIZE_FLAGS;
    let size = [rect.width, rect.height];
    // Places may be left of or above the first monitor.
    hints[1..3].copy_from_slice(&[rect.x as u32, rect.y as u32]);
    hints[3..5].copy_from_slice(&size);
    hints[5..7].copy_from_slice(&size);
    hints[7..9].copy_from_slice(&size);
    hints
}
